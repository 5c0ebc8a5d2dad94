"""The catalogue's public face: opens the Delta table, commits changes and reads rows.

Services hold one `Catalogue` each. The library below blocks, so every call runs in one thread of its own.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, Self, TypeVar

from dam.catalogue.committer import Committer
from dam.catalogue.erasing import erase_revisions, vacuum_dropped
from dam.catalogue.protocol import write_batch
from dam.catalogue.row import PURGED
from dam.catalogue.storage import TableHandle
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence

    from dam.catalogue.changes import Change, Outcome
    from dam.catalogue.committer import Results
    from dam.catalogue.row import Row
    from dam.settings import DamSettings

_P = ParamSpec("_P")
_T = TypeVar("_T")

_IDS_AT_ONCE: Final = 500


class Catalogue:
    """One handle per process; safe to use from many tasks at once."""

    def __init__(self, handle: TableHandle, thread: ThreadPoolExecutor) -> None:
        self._handle = handle
        self._thread = thread
        self._committer = Committer(self._write)

    @classmethod
    async def open(cls, settings: DamSettings) -> Self:
        """Open the table, creating it where there is none. Raises `CatalogueUnavailableError`."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="catalogue")
        opening = partial(TableHandle.open, *delta_location(settings))
        try:
            handle = await asyncio.get_running_loop().run_in_executor(thread, opening)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(handle, thread)

    async def commit(self, changes: Sequence[Change]) -> list[Outcome]:
        """Commit changes, coalesced with those of other callers; one outcome each, in order.

        A caller that is cancelled does not stop its commit.

        Raises:
            CatalogueUnavailableError: nothing is known to be written; the same changes may be given again.
        """
        return await self._committer.submit(changes)

    async def current(self, ids: Collection[str]) -> dict[str, Row]:
        """The current row (highest revision) of each of these ids that has one, as of now."""
        revisions = await self._run(self._read, ids)
        return {asset_id: rows[-1] for asset_id, rows in revisions.items()}

    async def history(self, asset_id: str) -> list[Row]:
        """Every revision of one asset, oldest first."""
        return (await self.histories([asset_id])).get(asset_id, [])

    async def histories(self, ids: Collection[str]) -> dict[str, list[Row]]:
        """Every revision of each of these ids that has one, oldest first, as of now."""
        return await self._run(self._read, ids)

    async def failed(self) -> AsyncIterator[Row]:
        """Current rows of the assets that failed, by id; ids alone are held in memory."""
        ids = await self._run(self._find_ids, "status = 'failed'")
        for at in range(0, len(ids), _IDS_AT_ONCE):
            for row in (await self.current(ids[at : at + _IDS_AT_ONCE])).values():
                if row.status == "failed":
                    yield row

    async def deleted(self) -> AsyncIterator[list[Row]]:
        """Histories, oldest first, of the assets that are deleted now, by id; ids alone are held in memory.

        A purged asset is among them as long as earlier rows of it are left.
        """
        ids = await self._run(self._find_ids, f"status = 'deleted' AND event <> '{PURGED}'")
        for at in range(0, len(ids), _IDS_AT_ONCE):
            for rows in (await self._run(self._read, ids[at : at + _IDS_AT_ONCE])).values():
                if rows[-1].status == "deleted":
                    yield rows

    async def erase(self, ids: Collection[str]) -> int:
        """Remove all rows of these assets but their `purged` one, from the table as it is now.

        Returns how many went. Assets that are not purged are left alone. Safe to repeat.

        Raises:
            CatalogueUnavailableError: some rows may be left.
        """
        return await self._run(erase_revisions, self._handle, ids)

    async def vacuum_dropped(self) -> int:
        """Remove the files that the table no longer has, whatever their age; see `erasing`."""
        return await self._run(vacuum_dropped, self._handle)

    async def version(self) -> int:
        """The table's version as of now."""
        return await self._run(self._handle.refresh)

    async def ping(self) -> None:
        """Raise `CatalogueUnavailableError` unless the table answers now."""
        await self.version()

    async def close(self) -> None:
        """Finish what is waiting and release the handle."""
        await self._committer.close()
        self._thread.shutdown(wait=False)

    async def _run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def _write(self, changes: Sequence[Change]) -> Results:
        return await self._run(write_batch, self._handle, changes)

    def _read(self, ids: Collection[str]) -> dict[str, list[Row]]:
        self._handle.refresh()
        return self._handle.read_revisions(ids)

    def _find_ids(self, predicate: str) -> list[str]:
        self._handle.refresh()
        batches = self._handle.scan(["id"], predicate)
        return sorted({asset_id for batch in batches for asset_id in batch.column("id").to_pylist()})
