"""Who makes the request in hand: set by the guard, read wherever a change is recorded or a limit applies."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dam.originals import UNKNOWN_ACTOR

if TYPE_CHECKING:
    from dam.access.tokens import Token


@dataclass(frozen=True, slots=True)
class Visitor:
    """`token` is None where access is open; `text` is what was shown, to be shown on to another service."""

    token: Token | None = None
    text: str | None = None

    @property
    def actor(self) -> str:
        """As the catalogue names who makes a change."""
        return self.token.actor if self.token else UNKNOWN_ACTOR

    @property
    def holder(self) -> str | None:
        """Whose share of what is scarce it takes; None where access is open and there is one user."""
        return self.token.id if self.token else None


ANYBODY: Final = Visitor()
_current: ContextVar[Visitor] = ContextVar("visitor", default=ANYBODY)


def current() -> Visitor:
    """Of the request that the calling task works on; anybody outside of one."""
    return _current.get()


def enter(visitor: Visitor) -> None:
    """From here on this task, and those it starts, work for `visitor`. The guard's alone to call."""
    _current.set(visitor)
