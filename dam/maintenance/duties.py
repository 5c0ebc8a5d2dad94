"""The two duties of the lease's holder: the table (with its snapshot), and originals without a row.

`running` starts both side by side. Each goes on through outages until it is stopped or cancelled.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import structlog

from dam.catalogue.storage import TableHandle
from dam.maintenance.patience import backoff_s, pause, try_once, try_until_it_works
from dam.maintenance.reconciliation import Reconciler
from dam.maintenance.snapshot import SnapshotPublisher
from dam.maintenance.upkeep import Upkeep
from dam.maintenance.worker import Worker
from dam.memory import trim
from dam.queue.opening import open_queue
from dam.store.delta import delta_location

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from dam.maintenance.settings import MaintenanceSettings
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore

log = structlog.get_logger()

_ACTIVE_S: Final = 60.0
"""Rows are looked for often for so long after the last one."""


async def keep_table(
    store: ObjectStore, settings: MaintenanceSettings, folder: Path, stop: asyncio.Event
) -> None:
    """Snapshot first, then upkeep, one step after the other in one thread."""
    worker = Worker("maintenance")
    try:
        handle = await try_until_it_works(
            "catalogue", lambda: worker.run(TableHandle.open, *delta_location(settings)), stop
        )
        if handle is None:
            return
        publisher = SnapshotPublisher(store, handle, worker, folder, settings)
        upkeep = Upkeep(handle, worker, settings)

        failures = 0
        while not stop.is_set():
            # One that fails, for whatever reason, must not keep the other from its work.
            worked = [await try_once("snapshot", publisher.step), await try_once("upkeep", upkeep.step)]
            trim()
            failures = 0 if all(worked) else failures + 1
            is_active = time.monotonic() < publisher.last_row_at + _ACTIVE_S
            poll_s = settings.poll_s if is_active else settings.idle_poll_s
            await pause(backoff_s(failures) if failures else poll_s, stop)
    finally:
        worker.close()


async def keep_reconciled(store: ObjectStore, settings: MaintenanceSettings, stop: asyncio.Event) -> None:
    """Queue lost work now and then."""
    queue = await try_until_it_works("queue", lambda: open_queue(settings), stop)
    if queue is None:
        return
    reconciler = Reconciler(store, queue, settings)
    try:
        while not stop.is_set():
            pause_s = await try_until_it_works(
                "reconcile", lambda: _reconcile(reconciler, queue, settings), stop
            )
            await pause(pause_s or 0.0, stop)
    finally:
        await queue.close()


async def _reconcile(reconciler: Reconciler, queue: JobQueue, settings: MaintenanceSettings) -> float:
    """Reconcile unless jobs are waiting, which would be queued a second time; how long to pause then."""
    depth = await queue.depth()
    if depth.ready or depth.delayed or depth.dead:
        log.info("reconcile.postponed", ready=depth.ready, delayed=depth.delayed, dead=depth.dead)
        return settings.reconcile_retry_s
    report = await reconciler.run(settings.reconcile_min_age_s)
    log.info(
        "reconcile.done",
        originals=report.originals,
        young=report.young,
        queued=report.queued.count,
        duplicates=report.duplicates.count,
    )
    return settings.reconcile_interval_s
