"""Finds originals that have no row and are on their way to none, and queues them: no upload is ever lost.

`dam reconcile` and `dam maintain` call this. It merge-joins the sorted listing of `assets/` with the sorted
ids of the table, so that its memory does not grow with either. It must never delete an original: of two with
the same content it queues the one that holds the claim, and names the other.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from dam import keys
from dam.adopt.former import UNADOPTED, NotAdoptedError, holds_former_table
from dam.catalogue.storage import TableHandle
from dam.claims import Claim, claim_or_inherit
from dam.errors import ObjectNotFoundError
from dam.maintenance.failures import hash_object, head_original
from dam.maintenance.report import Report
from dam.maintenance.runs import merge_runs, sort_into_runs
from dam.maintenance.scratch import scratch_folder
from dam.maintenance.worker import Worker
from dam.originals import job_of
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from dam.maintenance.settings import MaintenanceSettings
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectInfo, ObjectStore

log = structlog.get_logger()

_CANDIDATES_AT_ONCE: Final = 256
_REMEMBERED: Final = 100_000


class Reconciler:
    """Keeps, between runs, which duplicates it has read already: they never get a row."""

    def __init__(self, store: ObjectStore, queue: JobQueue, settings: MaintenanceSettings) -> None:
        self._store = store
        self._queue = queue
        self._settings = settings
        self._known_duplicates: dict[str, tuple[str, str]] = {}

    async def run(self, min_age_s: float) -> Report:
        """Queue what was lost among originals older than `min_age_s`.

        Raises:
            NotAdoptedError: it queued nothing; captions of the original project would be made anew.
            StoreUnavailableError, CatalogueUnavailableError, QueueUnavailableError: it stopped half way; what
                it queued stays queued, and the next run does the rest.
        """
        report = Report()
        worker = Worker("reconcile")
        try:
            with scratch_folder() as folder:
                if await holds_former_table(self._store, folder):
                    raise NotAdoptedError(UNADOPTED)
                handle = await worker.run(TableHandle.open, *delta_location(self._settings))
                ids = await worker.run(_sorted_ids, handle, folder, self._settings, worker)
                oldest = datetime.now(UTC) - timedelta(seconds=min_age_s)
                waiting: list[ObjectInfo] = []
                async for original in self._without_row(_Ids(ids, worker), oldest, report):
                    waiting.append(original)
                    if len(waiting) == _CANDIDATES_AT_ONCE:
                        await self._settle(waiting, handle, worker, report)
                        waiting = []
                await self._settle(waiting, handle, worker, report)
        finally:
            worker.close()
        return report

    async def _without_row(self, ids: _Ids, oldest: datetime, report: Report) -> AsyncIterator[ObjectInfo]:
        """Originals of ours that are old enough and whose id is not among the sorted `ids`."""
        async for original in self._store.list(keys.ASSETS):
            asset_id = keys.asset_id_of(original.key)
            if asset_id is None:
                report.foreign.add(original.key, "not an original's key")
                continue
            report.originals += 1
            if await ids.contain(asset_id):
                report.with_row += 1
            elif original.last_modified > oldest:
                report.young += 1
            else:
                yield original

    async def _settle(
        self, originals: Sequence[ObjectInfo], handle: TableHandle, worker: Worker, report: Report
    ) -> None:
        """Queue those that have no row now either: the listing took its time."""
        ids = {asset_id for original in originals if (asset_id := keys.asset_id_of(original.key))}
        await worker.run(handle.refresh)
        rows = await worker.run(handle.read_revisions, ids)
        report.with_row += len(rows)
        turns = asyncio.Semaphore(self._settings.reconcile_parallel)

        async def settle(original: ObjectInfo, asset_id: str) -> None:
            async with turns:
                await self.queue_lost(original, asset_id, report)

        try:
            async with asyncio.TaskGroup() as group:
                for original in originals:
                    asset_id = keys.asset_id_of(original.key)
                    if asset_id and asset_id not in rows:
                        group.create_task(settle(original, asset_id))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def queue_lost(self, listed: ObjectInfo, asset_id: str, report: Report) -> None:
        """Claim the content of an original that has no row, and queue it; or name who holds the content.

        Raises:
            StoreUnavailableError, QueueUnavailableError: nothing was queued.
        """
        known = self._known_duplicates.get(asset_id)
        if known and known[0] == listed.etag:
            report.duplicates.add(asset_id, known[1])
            return
        try:
            original = await head_original(self._store, listed.key)
            sha256 = await hash_object(self._store, listed.key)
        except ObjectNotFoundError:
            report.gone.add(asset_id, "removed meanwhile")
            return
        claim = Claim(id=asset_id, key=original.key, size=original.size)
        holder = await claim_or_inherit(self._store, sha256, claim)
        if holder.id == asset_id:
            await self._queue.publish(job_of(original, asset_id, sha256).to_bytes())
            report.queued.add(asset_id, original.key)
            log.info("reconcile.queued", asset_id=asset_id, key=original.key)
            return
        self._note_duplicate(listed, asset_id, holder, report)

    def _note_duplicate(self, original: ObjectInfo, asset_id: str, holder: Claim, report: Report) -> None:
        state = "" if holder.status == "live" else f", which is {holder.status}"
        note = f"the same content as {holder.id}{state}"
        report.duplicates.add(asset_id, note)
        log.info("reconcile.duplicate", asset_id=asset_id, key=original.key, holder=holder.id)
        if len(self._known_duplicates) < _REMEMBERED:
            self._known_duplicates[asset_id] = (original.etag, note)


class _Ids:
    """Sorted ids, asked for in growing order."""

    def __init__(self, pieces: Iterator[pa.Table], worker: Worker) -> None:
        self._pieces = pieces
        self._worker = worker
        self._piece: list[str] = []
        self._at = 0

    async def contain(self, asset_id: str) -> bool:
        """Whether it is there. Must not be less than the one asked for before."""
        while True:
            while self._at < len(self._piece):
                if self._piece[self._at] >= asset_id:
                    return self._piece[self._at] == asset_id
                self._at += 1
            piece = await self._worker.run(next, self._pieces, None)
            if piece is None:
                return False
            self._piece, self._at = piece["id"].to_pylist(), 0


def _sorted_ids(
    handle: TableHandle, folder: Path, settings: MaintenanceSettings, worker: Worker
) -> Iterator[pa.Table]:
    """Every id that has a row, once, in order. Blocking."""
    batches = handle.scan(["id", "revision"])
    return merge_runs(sort_into_runs(batches, folder, settings.sort_memory_bytes, worker.check))
