"""One snapshot as a local Parquet file: what its footer says, and how it is written.

The publisher calls this in its thread. It knows nothing of the bucket.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.errors import DamError
from dam.maintenance.runs import ROWS_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

ROW_GROUP_ROWS: Final = 32768
_ROW_GROUP_BYTES: Final = 32 << 20
"""Long texts fill a row group before its rows do."""

_TABLE: Final = "dam.table_id"
_VERSION: Final = "dam.table_version"
_MADE_AT: Final = "dam.made_at"


class SnapshotTooLargeError(DamError):
    """It would not fit one PUT."""


@dataclass(frozen=True, slots=True)
class Footer:
    """Of which table and version this is the snapshot, when it was made, and its size."""

    table_id: str
    version: int
    made_at: datetime
    rows: int
    size: int

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Of a snapshot file; None where it is no Parquet, or has other columns than today's."""
        try:
            with pq.ParquetFile(path) as file:
                if not file.schema_arrow.equals(SNAPSHOT_SCHEMA):
                    return None
                fields = {
                    key.decode(): value.decode() for key, value in (file.metadata.metadata or {}).items()
                }
                made_at = datetime.fromisoformat(fields[_MADE_AT])
                rows, size = file.metadata.num_rows, path.stat().st_size
                return cls(fields[_TABLE], int(fields[_VERSION]), made_at, rows, size)
        except (pa.ArrowException, OSError, KeyError, ValueError):
            return None


def read_run(path: Path) -> Iterator[pa.Table]:
    """A snapshot's rows as a sorted run, a few thousand at a time."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            yield pa.Table.from_batches([batch], SNAPSHOT_SCHEMA)


def write(  # noqa: PLR0913 - what a snapshot is made of
    path: Path,
    rows: Iterable[pa.Table],
    *,
    table_id: str,
    version: int,
    max_bytes: int,
    check: Callable[[], None],
) -> Footer:
    """Write those of `rows` (the newest revision of each asset, sorted by id) whose asset is live.

    Raises:
        SnapshotTooLargeError: the file would be larger than `max_bytes`.
    """
    made_at = datetime.now(UTC)
    count = 0
    with pa.OSFile(str(path), "wb") as file:
        with _writer(file) as writer:
            for group in _group(rows):
                check()
                writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
                count += group.num_rows
                _check_size(file.tell(), max_bytes)
            footer = {_TABLE: table_id, _VERSION: str(version), _MADE_AT: made_at.isoformat()}
            writer.add_key_value_metadata(footer)
        size = file.tell()
    _check_size(size, max_bytes)
    return Footer(table_id, version, made_at, count, size)


def _writer(file: pa.NativeFile) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        file,
        SNAPSHOT_SCHEMA,
        compression="zstd",
        write_statistics=True,
        write_page_checksum=True,
        sorting_columns=pq.SortingColumn.from_ordering(SNAPSHOT_SCHEMA, [("id", "ascending")]),
    )


def _group(rows: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Live rows, gathered into pieces worth a row group."""
    waiting: list[pa.Table] = []
    count = size = 0
    for piece in rows:
        live = piece.filter(pc.equal(piece["status"], "ready"))
        waiting.append(live)
        count += live.num_rows
        size += live.nbytes
        if count >= ROW_GROUP_ROWS or size >= _ROW_GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting, count, size = [], 0, 0
    if count:
        yield pa.concat_tables(waiting)


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise SnapshotTooLargeError(
            f"The snapshot is larger than {max_bytes / (1 << 30):.2f} GiB, the most that one PUT takes: no "
            "new one is published. The catalogue's table goes on; read that."
        )
