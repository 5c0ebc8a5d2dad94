"""Which contents a dry run has seen: it makes no claims, so it has to remember them.

In a temporary file, not in memory: a bucket may hold millions.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class Contents:
    """SHA-256 to the first asset that has it. For one thread."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Empty."""
        database = sqlite3.connect(folder / "contents.sqlite", isolation_level=None)
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE contents (sha256 BLOB PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID")
        return cls(database)

    def note(self, sha256: str, asset_id: str) -> str:
        """The asset that came first with this content; the one given, where none did."""
        content = bytes.fromhex(sha256)
        self._database.execute("INSERT OR IGNORE INTO contents VALUES (?, ?)", (content, asset_id))
        [(first,)] = self._database.execute("SELECT id FROM contents WHERE sha256 = ?", (content,))
        return str(first)

    def close(self) -> None:
        """Close the file."""
        self._database.close()
