"""Follows the catalogue: every commit, whoever made it, goes into the columns, the fresh rows and the events.

One task looks at the table now and then; a read asks it to look at once, so that it sees every commit that
was answered before it, another process's too. It never writes.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import pyarrow as pa
import structlog

from dam.catalogue.encoding import rows_to_table, table_to_rows
from dam.catalogue.feed import VERSION, FeedUnreadableError, read_changes
from dam.catalogue.storage import TableHandle
from dam.errors import CatalogueUnavailableError, DamError
from dam.store.delta import delta_location
from gallery_api.fresh import FreshRows
from gallery_api.listing.columns import COLUMNS, Columns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from dam.catalogue import Row
    from gallery_api.settings import GallerySettings

log = structlog.get_logger()

_P = ParamSpec("_P")
_T = TypeVar("_T")

_ROWS_AT_ONCE: Final = 1 << 16
_FARTHEST_BACK: Final = 2_000
"""Versions: without an index, at least the newest assets are searched."""
_VERSIONS_AT_ONCE: Final = 64
"""Each holds at most a few hundred rows, with their vectors."""


class Follower:
    """The state that every read is answered from. `open` it, `run` it, `close` it."""

    def __init__(self, settings: GallerySettings) -> None:
        self._location = delta_location(settings)
        self._follow_s = settings.follow_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="follower")
        self._handle: TableHandle | None = None
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._indexed: int | None = None
        self.columns = Columns()
        self.fresh = FreshRows()
        self.version = -1
        self.changed = asyncio.Condition()
        """Notified when `version` has grown."""

    async def ping(self) -> None:
        """Raise unless the catalogue answers."""
        await self.catch_up()

    async def catch_up(self) -> None:
        """Return when everything is taken over that was committed before the call.

        Calls that wait together share one look at the table, begun after they came.

        Raises:
            CatalogueUnavailableError: the table cannot be reached.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._look_after(self._running), name="follow")
        await asyncio.shield(self._next)

    def note(self, rows: Sequence[Row]) -> None:
        """Take rows over that this process has just committed."""
        if rows:
            self.columns.apply(rows_to_table(rows).select(list(COLUMNS)).combine_chunks().to_batches()[0])
        for row in rows:
            self.fresh.put(row)

    async def follow_index(self, version: int | None) -> None:
        """The index has everything up to `version` now (None: there is no index).

        Raises:
            CatalogueUnavailableError: the rows that it lacks cannot be read for now.
        """
        indexed = -1 if version is None else version
        if self._indexed is None or indexed < self._indexed:
            await self._load_fresh(indexed)
        self._indexed = indexed
        self.fresh.drop(indexed)

    async def run(self) -> None:
        """Look at the table now and then, until cancelled."""
        while True:
            try:
                await self.catch_up()
            except DamError as error:
                log.warning("follow.failed", error=str(error))
            await asyncio.sleep(self._follow_s)

    async def close(self) -> None:
        """Let the table go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _load_fresh(self, indexed: int) -> None:
        """The rows that the index lacks: at the start, and when it went back or is gone."""
        since = max(indexed, self.version - _FARTHEST_BACK)
        log.info("follow.fresh", index=indexed, since=since, version=self.version)
        try:
            async for batch in self._changes(since, self.version):
                for version, row in _rows_of(batch):
                    self.fresh.put(row, version)
        except FeedUnreadableError as error:
            log.warning("follow.feed_unreadable", since=since, error=str(error))
            self.fresh.forgotten += 1
        if since > indexed:
            self.fresh.forgotten += 1

    async def _look_after(self, running: asyncio.Task[None] | None) -> None:
        if running is not None and not running.done():
            await asyncio.wait([running])
        self._running, self._next = asyncio.current_task(), None
        await self._look()

    async def _look(self) -> None:
        if self._handle is None:
            await self._load()
            return
        version = await self._run(self._handle.refresh)
        if version <= self.version:
            return
        try:
            async for batch in self._changes(self.version, version):
                self._take(batch)
        except FeedUnreadableError as error:
            log.warning("follow.reload", since=self.version, error=str(error))
            await self._load()
            return
        await self._announce(version)

    async def _load(self) -> None:
        """All of the catalogue, from the table itself: it needs no index."""
        columns, version, handle = await self._run(self._read_all)
        self.columns, self._handle = columns, handle
        log.info("follow.loaded", assets=columns.size, version=version)
        await self._announce(version)

    async def _announce(self, version: int) -> None:
        async with self.changed:
            self.version = version
            self.changed.notify_all()

    def _take(self, batch: pa.RecordBatch) -> None:
        self.columns.apply(batch.select(list(COLUMNS)))
        for version, row in _rows_of(batch):
            if version > (-1 if self._indexed is None else self._indexed):
                self.fresh.put(row, version)

    async def _changes(self, since: int, until: int) -> AsyncIterator[pa.RecordBatch]:
        """A bounded number of versions at a time, so that a long absence costs time and not memory."""
        handle = self._handle
        assert handle is not None  # noqa: S101 - loaded before
        for start in range(since, until, _VERSIONS_AT_ONCE):
            end = min(start + _VERSIONS_AT_ONCE, until)
            for batch in await self._run(lambda at, to: list(read_changes(handle, at, to)), start, end):
                yield batch

    def _read_all(self) -> tuple[Columns, int, TableHandle]:
        handle = self._handle or TableHandle.open(*self._location)
        version = handle.refresh()
        columns = Columns()
        waiting: list[pa.RecordBatch] = []
        for batch in handle.scan(COLUMNS):
            waiting.append(batch)
            if sum(item.num_rows for item in waiting) >= _ROWS_AT_ONCE:
                columns.apply(_one(waiting))
                waiting = []
        if waiting:
            columns.apply(_one(waiting))
        return columns, version, handle

    async def _run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, partial(function, *args, **kwargs)
            )
        except RuntimeError as error:  # the executor of a service that is stopping
            raise CatalogueUnavailableError(f"The catalogue is closed: {error}.") from error


def _one(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _rows_of(batch: pa.RecordBatch) -> list[tuple[int, Row]]:
    """Rows with their versions, older revisions first."""
    rows = table_to_rows(pa.Table.from_batches([batch]))
    pairs = zip(batch.column(VERSION).to_pylist(), rows, strict=True)
    return sorted(pairs, key=lambda pair: (pair[0], pair[1].id, pair[1].revision))
