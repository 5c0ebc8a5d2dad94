"""Several requests at once, within a bound; the first error ends the rest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_T = TypeVar("_T")
_R = TypeVar("_R")


async def for_each(items: Sequence[_T], action: Callable[[_T], Awaitable[_R]], parallel: int) -> list[_R]:
    """The results in order, `parallel` at once."""
    turns = asyncio.Semaphore(parallel)

    async def take_turn(item: _T) -> _R:
        async with turns:
            return await action(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(take_turn(item)) for item in items]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]
