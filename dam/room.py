"""A weighted semaphore: so much (bytes, pixels) at once, first come, first served.

Ingest bounds the memory of bodies by it, the orchestrator that of originals and decodes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class NoRoomError(Exception):
    """The wait took too long."""


class Room:
    """Holds `size`. What is larger than it all is held alone; nobody is passed over by a smaller one."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, amount: int, timeout_s: float | None = None) -> AsyncIterator[None]:
        """Wait for `amount`, hold it, give it back. Raises NoRoomError after waiting `timeout_s`."""
        share = min(max(amount, 0), self._size)
        try:
            async with asyncio.timeout(timeout_s):
                await self._take(share)
        except TimeoutError as error:
            raise NoRoomError from error
        try:
            yield
        finally:
            self._taken -= share
            self._admit()

    async def _take(self, share: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((share, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._taken -= share  # admitted in the same moment
            self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting:
            share, turn = self._waiting[0]
            if not turn.cancelled():  # else its task was called off, and may not know yet
                if self._taken + share > self._size:
                    return
                self._taken += share
                turn.set_result(None)
            self._waiting.popleft()
