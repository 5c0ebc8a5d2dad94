"""Keeps the maintenance process small between its bursts of work.

The command line calls `hold_back` before the table's library is loaded, and the duties call `trim` after work
that took much. Measured in docs/adr/0003-maintenance.md; without it nothing breaks, it only takes more.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from typing import Final

import pyarrow as pa

_JEMALLOC: Final = "_RJEM_MALLOC_CONF"
"""Read by the allocator inside deltalake when that is loaded."""
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
_LARGE_BLOCK: Final = 256 * 1024


def hold_back() -> None:
    """Have freed memory given back to the system at once. To be called before deltalake is imported."""
    os.environ.setdefault(_JEMALLOC, f"dirty_decay_ms:0,muzzy_decay_ms:0,narenas:{_ARENAS}")
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


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
