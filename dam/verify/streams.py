"""Sorted streams, read side by side: all that belongs to one name is brought together.

A merge join: memory does not grow with the bucket, as long as every stream is sorted by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from dam.maintenance.worker import Worker

_T = TypeVar("_T")


class Named(Generic[_T]):
    """A stream of which the next item is known. `name` gives an item's; items without one must not come."""

    def __init__(self, items: AsyncIterator[_T], name: Callable[[_T], str]) -> None:
        self._items = items
        self._name = name
        self._next: _T | None = None
        self.at: str | None = None
        """Name of the next item; None at the end."""

    async def start(self) -> None:
        """Read the first item."""
        await self._advance()

    async def take(self, name: str) -> list[_T]:
        """All items of this name, which must not be greater than the next one's."""
        taken: list[_T] = []
        while self.at == name and self._next is not None:
            taken.append(self._next)
            await self._advance()
        return taken

    async def _advance(self) -> None:
        self._next = await anext(self._items, None)
        self.at = None if self._next is None else self._name(self._next)


async def pull(pieces: Iterator[list[_T]], worker: Worker) -> AsyncIterator[_T]:
    """Items that blocking code yields piece by piece, drawn in the worker's thread."""
    while (piece := await worker.run(next, pieces, None)) is not None:
        for item in piece:
            yield item
