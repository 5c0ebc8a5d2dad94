"""A store and a catalogue that die before a chosen call, as a process that is killed there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_CHANGING = {"put", "delete", "commit", "erase", "vacuum_dropped", "publish"}


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Fate:
    """`lives` more changing calls are made; the one after them never happens. `before_each` runs first."""

    lives: float = float("inf")
    before_each: Callable[[str], Awaitable[None]] | None = None
    made: int = 0

    def bind(self, target: Any) -> Any:
        """`target` under this fate; what only reads never dies."""
        return _Mortal(target, self)

    async def meet(self, name: str) -> None:
        """Before a changing call."""
        if self.made >= self.lives:
            raise Killed(name)
        self.made += 1
        if self.before_each:
            await self.before_each(name)


class _Mortal:
    def __init__(self, target: Any, fate: Fate) -> None:
        self._target = target
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        if name not in _CHANGING:
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._fate.meet(name)
            return await method(*args, **kwargs)

        return call
