"""Keeps the process small: how the C allocator behaves, and room for what is large.

Called by the entry point (`hold_back`), by `enriching` (`Room`) and after large decodes (`trim`). Only glibc
is tuned; elsewhere the calls do nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections import deque
from contextlib import asynccontextmanager
from functools import cache
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
_LARGE_BLOCK: Final = 256 * 1024
_DELTALAKE_ALLOCATOR: Final = ("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:0,muzzy_decay_ms:0")
"""deltalake brings its own allocator (jemalloc), which reads this when it is loaded."""


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


class _WithoutPandas(MetaPathFinder):
    """Arrow loads pandas with the first array that it makes, if it is installed: 40 MB, and no use of it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say that there is no pandas; all other modules are found as always."""
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("The orchestrator does without pandas.", name=fullname)
        return None


def hold_back() -> None:
    """Few arenas, and large blocks from the kernel and straight back; to be called before threads start.

    glibc otherwise keeps one arena for each thread and raises its threshold with the first large picture
    that is freed: the next ones then stay in the heap for good. Arrow's own pool keeps memory as well.
    """
    sys.meta_path.insert(0, _WithoutPandas())
    os.environ.setdefault(*_DELTALAKE_ALLOCATOR)
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
