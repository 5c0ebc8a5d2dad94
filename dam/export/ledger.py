"""What is to be exported and what is there already, outside of memory: a private SQLite file without a name.

The exporter fills it at its start and asks it for each asset. It ends with the process: the folder's own
sidecars are what a later export begins with.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dam.export.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TABLES = """
CREATE TABLE wanted (id TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE place (
    path TEXT PRIMARY KEY, folded TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,
    schema INTEGER NOT NULL, xmp_sha256 TEXT
) WITHOUT ROWID;
CREATE INDEX place_by_id ON place (id);
CREATE INDEX place_by_folded ON place (folded);
"""


@dataclass(frozen=True, slots=True)
class Place:
    """An exported original, relative to the folder, as its JSON sidecar says; revision 0: to be written."""

    path: str
    asset_id: str
    revision: int = 0
    schema: int = 0
    xmp_sha256: str | None = None


class Ledger:
    """One for each export; called from one thread at a time."""

    def __init__(self) -> None:
        # An empty name is a temporary file that SQLite removes by itself.
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def want(self, assets: Iterable[tuple[str, int]]) -> None:
        """Ids to be exported, each with the size of its original in bytes."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO wanted VALUES (?, ?)", assets)
        self._db.execute("COMMIT")

    def put(self, places: Iterable[Place]) -> None:
        """Places that are taken."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?, ?)",
            (
                (place.path, fold(place.path), place.asset_id, place.revision, place.schema, place.xmp_sha256)
                for place in places
            ),
        )
        self._db.execute("COMMIT")

    def places_of(self, asset_id: str) -> list[Place]:
        """Where an asset is; more than one where an export was cut off while it moved it."""
        rows = self._db.execute(
            "SELECT path, id, revision, schema, xmp_sha256 FROM place WHERE id = ? ORDER BY path", (asset_id,)
        )
        return [Place(*row) for row in rows]

    def owner_of(self, path: str) -> str | None:
        """Whose a path is, on whatever file system the folder may be copied to."""
        row = self._db.execute("SELECT id FROM place WHERE folded = ? LIMIT 1", (fold(path),)).fetchone()
        return None if row is None else str(row[0])

    def count_wanted(self) -> int:
        """How many assets."""
        return int(self._db.execute("SELECT count(*) FROM wanted").fetchone()[0])

    def missing_bytes(self) -> int:
        """Size of the originals that are wanted and have no place yet."""
        query = "SELECT total(size) FROM wanted WHERE id NOT IN (SELECT id FROM place)"
        return int(self._db.execute(query).fetchone()[0])

    def count_others(self) -> int:
        """Exported assets that are not wanted now."""
        query = "SELECT count(DISTINCT id) FROM place WHERE id NOT IN (SELECT id FROM wanted)"
        return int(self._db.execute(query).fetchone()[0])

    def wanted(self, at_once: int) -> Iterator[list[str]]:
        """Ids in their order, some at a time."""
        last = ""
        while True:
            query = "SELECT id FROM wanted WHERE id > ? ORDER BY id LIMIT ?"
            ids = [str(row[0]) for row in self._db.execute(query, (last, at_once))]
            if not ids:
                return
            yield ids
            last = ids[-1]
