"""The selection as one file, written while it is sent: a page of rows at a time, never all of them."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from starlette.responses import StreamingResponse

from dam.catalogue.row import SNAPSHOT_SCHEMA
from gallery_api import refusals
from gallery_api.listing.selecting import Selection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gallery_api.filters import ExportQuery
    from gallery_api.following import Follower
    from gallery_api.rows import Rows, Values

_ROWS_AT_ONCE: Final = 500
_ROW_GROUP: Final = 20
"""Pages in one row group of the Parquet."""
_TYPES: Final = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
}
_COLUMNS: Final = SNAPSHOT_SCHEMA.names
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets run what begins so; it is written with a quote before it."""


class _Sink(io.RawIOBase):
    """Where the Parquet is written: it is sent on piece by piece, and its place is counted all the same."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()
        self._sent = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        return len(data)

    def tell(self) -> int:
        return self._sent + len(self._waiting)

    def drain(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._waiting)
        self._sent += len(data)
        self._waiting.clear()
        return data


class Exporter:
    """One for the whole app."""

    def __init__(self, follower: Follower, rows: Rows) -> None:
        self._follower = follower
        self._rows = rows

    async def stream(self, query: ExportQuery) -> StreamingResponse:
        """The rows of the assets that pass, newest first. Raises `RefusalError` for pending ones."""
        if query.status == "pending":
            raise refusals.invalid("Pending assets have no rows to export.")
        await self._follower.catch_up()
        pages = self._pages(query)
        writers: dict[str, Callable[[AsyncIterator[list[Values]]], AsyncIterator[str | bytes]]] = {
            "parquet": _write_parquet,
            "csv": _write_csv,
            "jsonl": _write_lines,
        }
        headers = {"Content-Disposition": f'attachment; filename="assets.{query.format}"'}
        return StreamingResponse(
            writers[query.format](pages), headers=headers, media_type=_TYPES[query.format]
        )

    async def _pages(self, query: ExportQuery) -> AsyncIterator[list[Values]]:
        cursor = None
        while True:
            page = Selection(self._follower.columns, query).page(_ROWS_AT_ONCE, cursor)
            rows = await self._rows.find(page.ids)
            yield [rows[asset_id] for asset_id in page.ids if asset_id in rows]
            if not page.has_more:
                return
            cursor = page.ids[-1]


async def _write_parquet(pages: AsyncIterator[list[Values]]) -> AsyncIterator[bytes]:
    """The same columns and types as the published snapshot."""
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), SNAPSHOT_SCHEMA, compression="zstd") as writer:
        waiting: list[pa.Table] = []
        async for rows in pages:
            waiting.append(pa.Table.from_pylist(rows, SNAPSHOT_SCHEMA))
            if len(waiting) >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
                yield sink.drain()
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    yield sink.drain()


async def _write_csv(pages: AsyncIterator[list[Values]]) -> AsyncIterator[str]:
    """Tags with semicolons between them; a text that a spreadsheet would run has a quote before it."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(_COLUMNS)
    async for rows in pages:
        writer.writerows([_cell(row[name]) for name in _COLUMNS] for row in rows)
        yield sink.getvalue()
        sink.seek(0)
        sink.truncate()


async def _write_lines(pages: AsyncIterator[list[Values]]) -> AsyncIterator[str]:
    """One JSON object a line."""
    async for rows in pages:
        yield "".join(f"{json.dumps(row, default=_plain, ensure_ascii=False)}\n" for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = "; ".join(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: Any) -> str:
    """A time, as JSON has none."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form.")
