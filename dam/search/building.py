"""Builds the whole index anew, beside the one that is there.

Called by the keeper when there is none, when it cannot be read, and when the embedding model has changed.
Nothing is published here: until the keeper does, readers go on with the old one.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import structlog

from dam.ids import new_id
from dam.search.schema import make_rows
from dam.search.sources import find_model, missing_vectors, read_newest, read_vectors
from dam.search.table import IndexTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import lancedb
    import pyarrow as pa

    from dam.catalogue.storage import TableHandle
    from dam.maintenance.worker import Worker

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Built:
    """A new table, complete up to `version` of the catalogue."""

    name: str
    table: IndexTable
    version: int
    model: str | None
    approximate: bool


async def build_index(connection: lancedb.AsyncConnection, handle: TableHandle, worker: Worker) -> Built:
    """Read all of the catalogue, as `handle` sees it, into a new table with its indexes.

    Raises:
        CatalogueUnavailableError, IndexUnavailableError: half a table may be left; the keeper drops it.
    """
    started = time.monotonic()
    version = handle.delta.version()
    found = await worker.run(find_model, handle)
    model, dim = found or (None, 1)
    name = f"assets-{new_id()}"
    table = await IndexTable.create(connection, name, dim)
    await _fill(table, handle, worker, model)
    count = await table.count()
    approximate = await table.index()
    log.info(
        "index.built", rows=count, version=version, model=model, seconds=round(time.monotonic() - started, 2)
    )
    return Built(name, table, version, model, approximate)


async def _fill(table: IndexTable, handle: TableHandle, worker: Worker, model: str | None) -> None:
    """All rows in one write: a file for each few thousand would be read, and merged, for ever after.

    The library's thread asks this loop for the next rows, and the loop the worker, which holds the handle.
    """
    loop = asyncio.get_running_loop()
    pieces = read_newest(handle)
    is_over = False

    async def read_next() -> pa.Table | None:
        while not is_over and (rows := await worker.run(next, pieces, None)) is not None:
            live = rows.filter(pc.not_equal(rows["event"], "purged"))
            if live.num_rows:
                return await worker.run(_prepare, handle, live, model, table.dim)
        return None

    def read_all() -> Iterator[pa.RecordBatch]:
        while (rows := asyncio.run_coroutine_threadsafe(read_next(), loop).result()) is not None:
            yield from rows.to_batches()

    try:
        await table.fill(read_all())
    finally:
        is_over = True


def _prepare(handle: TableHandle, rows: pa.Table, model: str | None, dim: int) -> pa.Table:
    return make_rows(rows, model, dim, read_vectors(handle, missing_vectors(rows, model, dim), dim))
