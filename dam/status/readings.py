"""What was seen of one part, as a sentence for a person and as facts for a program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """The values are stable: scripts read them."""

    READY = "ready"
    NOT_READY = "not ready"
    DOWN = "down"
    UNKNOWN = "unknown"
    """Not looked at: not yet, or it cannot be from here. No fault of the part's."""


@dataclass(frozen=True, slots=True)
class Reading:
    """`told` says what is there, or why not; `facts` hold only what JSON can."""

    state: State
    told: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Look = Callable[[], Awaitable[Reading]]
"""Looks once. May raise: an error of ours is the part's own sentence."""


def tell_age(seconds: float) -> str:
    """As in `3 s`, `12 min`, `5 h`, `2 days`; by two machines' clocks, so that the future is now."""
    seconds = max(0.0, seconds)
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
