"""What a check found, as one line for a person and one object for a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The values are stable: scripts read them."""

    WELL = "well"
    WARNING = "warning"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a stable dotted name; `told` says what is (wrong); `remedy` how to mend it."""

    check: str
    verdict: Verdict
    told: str
    remedy: str = ""


Tell = Callable[[Finding], None]
"""Takes each finding as soon as it is made, so that a check cut off by its time limit loses none."""
