"""Keeps a process small: what is freed goes back to the system at once.

The entry points call `hold_back`, and `hold_back_tables` where they use tables, before they load large
libraries and start threads; whoever has freed much calls `trim`, and who has loaded everything `drop_code`.
Only glibc is tuned; elsewhere nothing happens. Without any of it nothing breaks, it only takes more: measured
in docs/adr/0003-maintenance.md, docs/adr/0004-orchestrator.md and docs/adr/0008-search.md.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_MADV_DONTNEED: Final = 4
_ARENAS: Final = 2
_LARGE_BLOCK: Final = 256 * 1024
_DELTALAKE_ALLOCATOR: Final = ("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:0,muzzy_decay_ms:0")
"""deltalake brings its own allocator (jemalloc), which reads this when it is loaded."""
_ARROW_ALLOCATOR: Final = ("ARROW_DEFAULT_MEMORY_POOL", "system")
"""Arrow reads this when it is loaded. A pool chosen afterwards is not for everything: the writer of Parquet
went on with Arrow's own (mimalloc), which kept 90 MB of `dam maintain` for good."""


class _Absent(MetaPathFinder):
    """Says of some modules that they are not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """All other modules are found as always."""
        del path, target
        if fullname in self._names:
            raise ModuleNotFoundError(f"This service does without {fullname}.", name=fullname)
        return None


def do_without(*names: str) -> None:
    """Have these modules count as not installed: libraries load them only because they are there."""
    # Not by None in `sys.modules`: Arrow takes that for the module.
    sys.meta_path.insert(0, _Absent(names))


def hold_back() -> None:
    """Few arenas, and large blocks from the kernel and straight back.

    glibc otherwise keeps one arena for each thread and raises its threshold with the first large block that
    is freed: the next ones then stay in the heap for good.
    """
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BLOCK)


def hold_back_tables() -> None:
    """The same for Arrow and deltalake, and no pandas; to be called before either is loaded."""
    os.environ.setdefault(*_DELTALAKE_ALLOCATOR)
    os.environ.setdefault(*_ARROW_ALLOCATOR)
    do_without("pandas")  # Arrow and lancedb load it: 40 MB


def trim() -> None:
    """Give back to the system what is free now; takes about a millisecond."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def drop_code() -> None:
    """Let go of the pages of libraries' code: what is needed comes back with its first use, from the files.

    To be called once everything is loaded: of the code that reads tables and opens indexes, most never runs
    again. Only mappings that are read and run are let go: they are as in their files, nothing is lost.
    """
    libc = _glibc()
    if libc is None:
        return
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        span, access, _, _, _, *name = line.split(maxsplit=5)
        if access == "r-xp" and name and ".so" in name[0]:
            start, end = (int(at, 16) for at in span.split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
