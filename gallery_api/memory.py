"""Keeps the gallery small: called by the entry point before any large library is loaded.

Without it nothing breaks; it only takes more. Measured in docs/adr/0008-search.md.
"""

from __future__ import annotations

import os
from typing import Final

from dam import memory

_READS: Final = ("LANCE_IO_THREADS", "8")
"""One machine's worth of reads at once; by default there are 64 threads of them."""


def hold_back() -> None:
    """Few threads, nothing unused, and freed memory back to the system at once."""
    os.environ.setdefault(*_READS)
    memory.hold_back()
    memory.hold_back_tables()
