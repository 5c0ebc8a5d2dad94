"""How much memory the bodies being received may hold together; requests beyond it wait their turn."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class OutOfBudgetError(Exception):
    """The wait for memory took too long."""


class MemoryBudget:
    """A weighted semaphore, first come first served (so that a large body is not passed over for ever)."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size: int, timeout_s: float) -> AsyncIterator[None]:
        """Hold `size` bytes (at most the total) meanwhile. Raises `OutOfBudgetError` after `timeout_s`."""
        size = min(size, self._total)
        try:
            async with asyncio.timeout(timeout_s):
                await self._take(size)
        except TimeoutError as error:
            raise OutOfBudgetError from error
        try:
            yield
        finally:
            self._give(size)

    async def _take(self, size: int) -> None:
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            # Either it was our turn already when we were cancelled, or whoever stands behind us may fit.
            self._give(0 if turn.cancelled() else size)
            raise

    def _give(self, size: int) -> None:
        self._free += size
        while self._waiting:
            wanted, turn = self._waiting[0]
            if not turn.done():
                if wanted > self._free:
                    return
                self._free -= wanted
                turn.set_result(None)
            self._waiting.popleft()
