"""Keeps the process small: how the C allocator behaves, and room for what is large.

Called by the entry point (`hold_back`), by `enriching` (`Room`) and after large decodes (`trim`). Only glibc
is tuned; elsewhere the calls do nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections import deque
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
_LARGE_BLOCK: Final = 256 * 1024


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def hold_back() -> None:
    """Few arenas, and large blocks from the kernel and straight back; to be called before threads start.

    glibc otherwise keeps one arena for each thread and raises its threshold with the first large picture
    that is freed: the next ones then stay in the heap for good. Arrow's own pool keeps memory as well.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BLOCK)


def trim() -> None:
    """Give back to the system what is free now; takes about a millisecond."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


class Room:
    """So much (bytes, pixels) at once, first come, first served; what is larger than it all runs alone."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, amount: int) -> AsyncIterator[None]:
        """Wait for `amount`, hold it, give it back."""
        share = min(max(amount, 0), self._size)
        await self._take(share)
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
            else:
                self._waiting.remove((share, turn))
            self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting and self._taken + self._waiting[0][0] <= self._size:
            share, turn = self._waiting.popleft()
            self._taken += share
            turn.set_result(None)
