"""Puts `dam maintain` together: wait for the lease, work while it is held, release it.

Called by the command line. Outages of bucket and queue are logged and waited out; only a wrong setting or a
signal ends it. A process that loses its lease stops its work at once and waits for the next. Whatever is slow
to import is imported here, before the lease is held: an import holds the event loop, and so the renewals.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Final

import structlog

from dam.maintenance.duties import keep_reconciled, keep_table
from dam.maintenance.lease import Lease, LeaseLostError
from dam.maintenance.patience import finish_before
from dam.maintenance.scratch import scratch_folder
from dam.search.duty import keep_index
from dam.store.delta import delta_location
from dam.store.opening import open_store

if TYPE_CHECKING:
    from dam.maintenance.settings import MaintenanceSettings
    from dam.store.port import ObjectStore

log = structlog.get_logger()

_STEP_DEADLINE_S: Final = 10.0
"""How long a stop waits for the step under way; cut short, it harms nothing."""


async def maintain(settings: MaintenanceSettings, stop: asyncio.Event) -> None:
    """Maintain the bucket until `stop` is set. Raises `SettingsError`."""
    delta_location(settings)  # a wrong setting is told before anything is waited for
    store = await open_store(settings)
    try:
        while not stop.is_set():
            lease = Lease(store, settings.lease_s)
            log.info("maintenance.waiting", store=store.url)
            if await finish_before(stop, lease.acquire()):
                await _work_under(lease, store, settings, stop)
    finally:
        await store.close()
    log.info("maintenance.stopped")


async def _work_under(
    lease: Lease, store: ObjectStore, settings: MaintenanceSettings, stop: asyncio.Event
) -> None:
    """Work until the lease is lost or a stop is asked for; then nothing goes on."""
    log.info("maintenance.started", store=store.url)
    keeping = asyncio.create_task(lease.keep())
    working = asyncio.create_task(_work(store, settings, stop))
    try:
        await asyncio.wait([keeping, working], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, keeping):
            task.cancel()
        await asyncio.wait([working, keeping])
    if not keeping.cancelled() and isinstance(keeping.exception(), LeaseLostError):
        log.warning("maintenance.lease_lost", reason=str(keeping.exception()))
        return
    await lease.release()
    for task in (working, keeping):
        if not task.cancelled():
            task.result()


async def _work(store: ObjectStore, settings: MaintenanceSettings, stop: asyncio.Event) -> None:
    """All duties, until `stop`; then the steps under way have a little time to end by themselves."""
    with scratch_folder() as folder:
        try:
            async with asyncio.TaskGroup() as group:
                duties = [
                    group.create_task(keep_table(store, settings, folder, stop)),
                    group.create_task(keep_reconciled(store, settings, stop)),
                    group.create_task(keep_index(store, settings, stop)),
                ]
                await stop.wait()
                await asyncio.wait(duties, timeout=_STEP_DEADLINE_S)
                for duty in duties:
                    duty.cancel()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT ask for a graceful stop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
