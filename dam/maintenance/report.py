"""What one reconcile saw and did, for the command line and the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_NAMED: Final = 100
"""How many of each kind are named; the rest is counted."""


@dataclass(slots=True)
class Tally:
    """How many, and who the first of them were, each with a few words."""

    count: int = 0
    first: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, note: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < _NAMED:
            self.first.append((name, note))


@dataclass(slots=True)
class Report:
    """`originals` have a row, or are young, queued, duplicates or gone; `foreign` keys are not among them."""

    originals: int = 0
    with_row: int = 0
    young: int = 0
    queued: Tally = field(default_factory=Tally)
    duplicates: Tally = field(default_factory=Tally)
    gone: Tally = field(default_factory=Tally)
    foreign: Tally = field(default_factory=Tally)
