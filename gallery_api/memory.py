"""Keeps the gallery small: called by the entry point before any large library is loaded.

Without it nothing breaks; it only takes more. Measured in docs/adr/0007-search.md.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Final

from dam.maintenance import memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_LANCE: Final = {
    # One machine's worth of reads at once; by default there are 64 threads of them.
    "LANCE_IO_THREADS": "8",
    # What it warns of (a table that is not there yet) is told by our own events.
    "LANCE_LOG": "error",
}


class _WithoutPandas(MetaPathFinder):
    """lancedb and Arrow load pandas if it is installed: 35 MB, and no use of it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say that there is no pandas; all other modules are found as always."""
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError("The gallery does without pandas.", name=fullname)
        return None


def hold_back() -> None:
    """Few threads, no pandas, and freed memory back to the system at once."""
    for name, value in _LANCE.items():
        os.environ.setdefault(name, value)
    sys.meta_path.insert(0, _WithoutPandas())
    memory.hold_back()
