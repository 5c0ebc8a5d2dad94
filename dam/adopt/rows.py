"""The rows of the original project's tables, sorted by the asset that each is about.

Blocking, in one worker's thread, and in bounded memory: rows are sorted in runs as the snapshot's are. Of
several rows about one asset the last one counts, as for a reader of the original's table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dam import keys
from dam.adopt.former import COLUMNS, FormerTableError
from dam.ids import is_former
from dam.maintenance.runs import merge_runs, sort_into_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_AT_ONCE: Final = 2048
_TEXTS: Final = ("filename", "r2_key", "vector_key", "mime_type", "caption")
_SORTED: Final = pa.schema(
    [
        pa.field("id", pa.string()),  # the asset
        pa.field("revision", pa.int64()),  # the row's number, over all tables
        *(pa.field(name, pa.string()) for name in _TEXTS),
    ]
)


@dataclass(frozen=True, slots=True)
class FormerRow:
    """One row; `asset_id` is the id in the name of its original, or its own where that has none."""

    asset_id: str
    filename: str | None
    r2_key: str | None
    vector_key: str | None
    mime_type: str | None
    caption: str | None


def read_rows(
    paths: Sequence[Path],
    folder: Path,
    memory_bytes: int,
    check: Callable[[], None],
    tell: Callable[[str], None],
) -> Iterator[list[FormerRow]]:
    """The newest row about each asset, sorted by it; `tell` hears of rows that are about none.

    Blocking.

    Raises:
        FormerTableError: a table is damaged.
    """
    runs = sort_into_runs(_read(paths, tell), folder, memory_bytes, check)
    for piece in merge_runs(runs):
        yield [
            FormerRow(row["id"], *(row[name] for name in _TEXTS))
            for row in piece.select(["id", *_TEXTS]).to_pylist()
        ]


def _read(paths: Sequence[Path], tell: Callable[[str], None]) -> Iterator[pa.RecordBatch]:
    number = 0
    for path in paths:
        for rows in _read_file(path):
            yield pa.RecordBatch.from_pylist(list(_name_all(rows, number, tell)), schema=_SORTED)
            number += len(rows)


def _read_file(path: Path) -> Iterator[list[dict[str, Any]]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_AT_ONCE, columns=list(COLUMNS)):
                yield batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: text that is no UTF-8
        raise FormerTableError(
            f"The original's table, {keys.SNAPSHOT} or its copy below {keys.ADOPTED_TABLES}, is damaged: "
            f"{error}. Put it back from a backup, or move it away to adopt without its captions and names."
        ) from error


def _name_all(
    rows: list[dict[str, Any]], number: int, tell: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    for at, row in enumerate(rows, number):
        texts = {name: _text(row[name]) for name in _TEXTS}
        named = (_name_of(texts["r2_key"]), _text(row["id"]))
        asset_id = next((name for name in named if name and is_former(name)), None)
        if asset_id is None:
            tell(f"Row {at + 1}: id {row['id']!r}, r2_key {row['r2_key']!r}")
        else:
            yield {"id": asset_id, "revision": at, **texts}


def _name_of(key: str | None) -> str | None:
    """What stands in a key before its extension."""
    return key.rpartition("/")[2].partition(".")[0] if key else None


def _text(value: object) -> str | None:
    """A value of a column; empty text says nothing."""
    return value if isinstance(value, str) and value.strip() else None
