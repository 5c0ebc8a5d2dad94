"""Keeps the gallery small: called by the entry point before any large library is loaded.

Without it nothing breaks; it only takes more. Measured in docs/adr/0008-search.md.
"""

from __future__ import annotations

import os
from typing import Final

from dam import memory

_LANCE: Final = {
    # One machine's worth of reads at once; by default there are 64 threads of them.
    "LANCE_IO_THREADS": "8",
    # What it warns of (a table that is not there yet) is told by our own events.
    "LANCE_LOG": "error",
}


def hold_back() -> None:
    """Few threads, nothing unused, and freed memory back to the system at once."""
    for name, value in _LANCE.items():
        os.environ.setdefault(name, value)
    memory.hold_back()
    memory.hold_back_tables()
