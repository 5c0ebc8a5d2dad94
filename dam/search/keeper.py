"""Keeps the index: takes over what the change feed brings, builds anew what is lost, tends what is there.

`step` is called again and again by the lease's holder. It resumes at the version in the published state;
whatever is cut off in between is done again without harm. It must never write to the catalogue.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc
import structlog

from dam.catalogue.feed import FeedUnreadableError
from dam.errors import IndexUnavailableError, PreconditionFailedError
from dam.search.building import build_index
from dam.search.schema import make_rows
from dam.search.sources import missing_vectors, newest_model, read_feed, read_vectors
from dam.search.state import LAYOUT, IndexState, Retired, read_state, write_state
from dam.search.table import IndexTable, connect, drop, list_tables

if TYPE_CHECKING:
    import lancedb
    import pyarrow as pa

    from dam.catalogue.storage import TableHandle
    from dam.maintenance.worker import Worker
    from dam.store.port import ObjectStore

log = structlog.get_logger()

_VERSIONS_AT_ONCE: Final = 64
_TEND_AFTER: Final = 16
"""Merges; each leaves a small file."""
_TEND_EVERY_S: Final = 60.0
_TEND_SHARE: Final = 0.05
"""Of the time, at most, while merges come: files of a large table are merged by writing much of it anew."""
_PROBE_EVERY_S: Final = 5.0
_RETIRED_FOR: Final = timedelta(minutes=2)
"""Readers open what is published within a second."""


class IndexKeeper:
    """One for the holder of the lease; `handle` and `worker` are its own."""

    def __init__(
        self,
        store: ObjectStore,
        handle: TableHandle,
        worker: Worker,
        location: tuple[str, dict[str, str]],
    ) -> None:
        self._store = store
        self._handle = handle
        self._worker = worker
        self._location = location
        self._connection: lancedb.AsyncConnection | None = None
        self._table: IndexTable | None = None
        self._name = ""
        self._state: IndexState | None = None
        self._etag: str | None = None
        self._merges = 0
        self._tended_at = self._tend_not_before = self._probed_at = time.monotonic()

    async def step(self) -> None:
        """Bring the index up to the catalogue as it is now.

        Raises:
            StoreUnavailableError, CatalogueUnavailableError, IndexUnavailableError: what is done stays done.
        """
        version = await self._worker.run(self._handle.refresh)
        self._state, self._etag = await read_state(self._store)
        try:
            table = await self._open()
            if table is None or self._state is None:
                await self._rebuild("there is none")
            elif version > self._state.version:
                await self._catch_up(table, self._state, version)
            elif self._merges and time.monotonic() > self._tended_at + _TEND_EVERY_S:
                await self._tend(table, self._state)
        except PreconditionFailedError:
            log.info("index.published_by_another")
            self._table = None
        except IndexUnavailableError:
            self._table = None
            raise
        await self._drop_retired()

    async def _open(self) -> IndexTable | None:
        """The published table; None where there is none, it is of another catalogue, or it is unreadable."""
        state = self._state
        if state is None or state.catalogue != self._catalogue_id() or state.version > self._seen():
            return None
        try:
            if self._table is None or self._name != state.table:
                self._table = await IndexTable.open(await self._connect(), state.table, state.dim)
                self._name = state.table
            if time.monotonic() > self._probed_at + _PROBE_EVERY_S:
                self._probed_at = time.monotonic()
                await self._table.probe()
        except IndexUnavailableError as error:
            await self._store.ping()  # an outage is no reason to build anew
            log.warning("index.unreadable", table=state.table, error=str(error))
            return None
        return self._table

    async def _catch_up(self, table: IndexTable, state: IndexState, version: int) -> None:
        """Merge what the versions since the cursor brought, some of them at a time."""
        while state.version < version:
            until = min(state.version + _VERSIONS_AT_ONCE, version)
            try:
                rows = await self._worker.run(read_feed, self._handle, state.version, until)
            except FeedUnreadableError as error:
                await self._rebuild(str(error))
                return
            made = newest_model(rows)
            if made is not None and made != (state.model, state.dim):
                await self._rebuild(f"vectors are made by {made[0]} now, and the index has {state.model}'s")
                return
            await self._merge(table, state, rows)
            state = await self._publish(
                state.model_copy(update={"version": until, "rows": await table.count()})
            )
        if self._merges >= _TEND_AFTER and time.monotonic() >= self._tend_not_before:
            await self._tend(table, state)

    async def _merge(self, table: IndexTable, state: IndexState, rows: pa.Table) -> None:
        is_purged = pc.equal(rows["event"], "purged")
        purged = rows.filter(is_purged)["id"].to_pylist()
        if purged:
            await table.remove(purged)
        live = rows.filter(pc.invert(is_purged))
        if not live.num_rows:
            return
        makers = missing_vectors(live, state.model, state.dim)
        vectors = await table.vectors(sorted(makers)) if makers else {}
        elsewhere = {key: maker for key, maker in makers.items() if key not in vectors}
        if elsewhere:
            vectors |= await self._worker.run(read_vectors, self._handle, elsewhere, state.dim)
        await table.merge(await self._worker.run(make_rows, live, state.model, state.dim, vectors))
        self._merges += 1

    async def _tend(self, table: IndexTable, state: IndexState) -> None:
        """The library's own upkeep, and the approximate index as soon as the table is large enough."""
        started = time.monotonic()
        await table.tend()
        approximate = await table.index()
        self._merges, self._tended_at = 0, time.monotonic()
        self._tend_not_before = self._tended_at + (self._tended_at - started) / _TEND_SHARE
        await self._publish(state.model_copy(update={"approximate": approximate}))

    async def _rebuild(self, reason: str) -> None:
        log.info("index.rebuilding", reason=reason)
        old = self._state
        built = await build_index(await self._connect(), self._handle, self._worker)
        retired = (*old.retired, Retired(table=old.table, at=datetime.now(UTC))) if old else ()
        state = IndexState(
            layout=LAYOUT,
            table=built.name,
            catalogue=self._catalogue_id(),
            version=built.version,
            model=built.model,
            dim=built.table.dim,
            rows=await built.table.count(),
            approximate=built.approximate,
            updated_at=datetime.now(UTC),
            retired=retired,
        )
        await self._publish(state)
        self._table, self._name, self._merges = built.table, built.name, 0

    async def _publish(self, state: IndexState) -> IndexState:
        """Make it what readers follow. Raises `PreconditionFailedError` where another keeper was first."""
        state = state.model_copy(update={"updated_at": datetime.now(UTC)})
        self._etag = await write_state(self._store, state, self._etag)
        self._state = state
        return state

    async def _drop_retired(self) -> None:
        """Remove tables that were replaced some time ago, and those that were never published."""
        state = self._state
        if state is None or not state.retired:
            return
        due = [item for item in state.retired if datetime.now(UTC) - item.at > _RETIRED_FOR]
        if not due:
            return
        connection = await self._connect()
        kept = {state.table, *(item.table for item in state.retired if item not in due)}
        for name in await list_tables(connection):
            if name not in kept:
                await drop(connection, name)
        await self._publish(
            state.model_copy(update={"retired": tuple(item for item in state.retired if item not in due)})
        )

    async def _connect(self) -> lancedb.AsyncConnection:
        if self._connection is None:
            self._connection = await connect(self._location)
        return self._connection

    def _catalogue_id(self) -> str:
        return str(self._handle.delta.metadata().id)

    def _seen(self) -> int:
        return int(self._handle.delta.version())
