"""A whole bucket with everything that belongs to its assets, and what a verification says of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dam.catalogue import Catalogue
from dam.catalogue.storage import TableHandle
from dam.maintenance.scratch import scratch_folder
from dam.maintenance.snapshot import SnapshotPublisher
from dam.maintenance.worker import Worker
from dam.store.delta import delta_location
from dam.store.opening import open_store
from dam.verify import Report, VerifyOptions, verify_bucket
from tests.fakes.queue import MemoryQueue
from tests.purge.bucket import Bucket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.maintenance.settings import MaintenanceSettings


@dataclass
class Verified(Bucket):
    """Assets are added as by the services; `queue` takes what a repair queues."""

    queue: MemoryQueue
    maintenance: MaintenanceSettings

    async def verify(self, **options: Any) -> Report:
        """At once, and of everything however young."""
        chosen = VerifyOptions(**{"min_age_s": 0.0, "settle_s": 0.0, **options})
        return await verify_bucket(self.maintenance, self.store, self.queue, chosen)

    async def found(self, **options: Any) -> list[tuple[str, str]]:
        """Kind and key of every finding."""
        report = await self.verify(**options)
        assert not report.skipped, report.skipped
        return [(finding.kind.value, finding.key) for finding in report.findings]

    async def publish(self) -> None:
        """The snapshot of now."""
        worker = Worker("test")
        settings = self.maintenance.model_copy(update={"snapshot_interval_s": 0.0})
        try:
            with scratch_folder() as folder:
                handle = TableHandle.open(*delta_location(settings))
                await SnapshotPublisher(self.store, handle, worker, folder, settings).step()
        finally:
            worker.close()


@contextlib.asynccontextmanager
async def open_verified(settings: MaintenanceSettings) -> AsyncIterator[Verified]:
    """Opened on an empty place."""
    store = await open_store(settings)
    catalogue = await Catalogue.open(settings)
    try:
        yield Verified(settings, store, catalogue, MemoryQueue(), settings)
    finally:
        await catalogue.close()
        await store.close()
