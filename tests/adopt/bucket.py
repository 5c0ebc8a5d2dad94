"""A bucket of the original project, what adopting says of it, and what the pipeline then makes of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from dam.adopt.adopter import Writers, adopt_bucket
from dam.adopt.options import AdoptOptions
from orchestrator.inference import Bento
from orchestrator.metrics import Metrics
from orchestrator.outages import Gate
from orchestrator.running import Parts, probe, work
from orchestrator.settings import OrchestratorSettings
from tests.adopt.original import DIM, OriginalWorker
from tests.orchestrator.bento import FakeBento
from tests.purge.mortal import Fate
from tests.verify.bucket import Verified, open_verified

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.adopt.report import Report
    from dam.maintenance.settings import MaintenanceSettings
    from dam.store.port import ObjectStore

MODEL = "clip@1"


@dataclass
class Former:
    """`worker` is the original's; `open` is how this pipeline sees the same bucket.

    The catalogue is opened only where a test asks for it: that makes its table.
    """

    settings: MaintenanceSettings
    store: ObjectStore
    worker: OriginalWorker
    bento: FakeBento = field(default_factory=FakeBento)

    async def look(self, **options: Any) -> Report:
        """A dry run."""
        return await adopt_bucket(self.settings, self.store, self.choose(options))

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Adopting]:
        """With catalogue and queue."""
        async with open_verified(self.settings) as verified:
            yield Adopting(verified, self)

    def choose(self, options: dict[str, Any]) -> AdoptOptions:
        """What a person would say of this bucket; `options` win."""
        return AdoptOptions(**{"prefix": self.worker.prefix, "dim": DIM, **options})

    async def describe(self) -> dict[str, str]:
        """Every key with its etag."""
        return {found.key: found.etag async for found in self.store.list("")}


@dataclass
class Adopting:
    """The bucket in this pipeline's hands."""

    verified: Verified
    former: Former

    async def adopt(self, fate: Fate | None = None, **options: Any) -> Report:
        """For real; under a `fate`, as a process that is killed."""
        fate = fate or Fate()
        queue, catalogue = fate.bind(self.verified.queue), fate.bind(self.verified.catalogue)
        store = fate.bind(self.former.store)
        chosen = self.former.choose(options)
        return await adopt_bucket(self.former.settings, store, chosen, Writers(queue, catalogue))

    async def check_well(self) -> None:
        """The snapshot can be published, and a whole verification finds nothing."""
        await self.verified.publish()
        assert await self.verified.found() == []

    async def enrich(self) -> None:
        """Let an orchestrator do all that is queued."""
        bento = self.former.bento
        await bento.start()
        settings = OrchestratorSettings(
            data_dir=self.former.settings.data_dir, bento_url=bento.url, commit_linger_s=0.01
        )
        stop = asyncio.Event()
        try:
            async with Bento(settings) as client:
                gate = Gate(partial(probe, self.former.store, client))
                catalogue, queue = self.verified.catalogue, self.verified.queue
                parts = Parts(self.former.store, catalogue, queue, client, gate, Metrics())
                working = asyncio.create_task(work(parts, settings, stop))
                try:
                    await self._until_settled()
                finally:
                    stop.set()
                    await working
        finally:
            await bento.stop()

    async def _until_settled(self) -> None:
        async with asyncio.timeout(60):
            while True:
                depth = await self.verified.queue.depth()
                if not (depth.ready or depth.in_flight or depth.delayed or depth.dead):
                    return
                await asyncio.sleep(0.02)
