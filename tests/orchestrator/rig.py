"""An orchestrator in this process: real catalogue, store in memory, queue in memory, Bento over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from PIL import Image

from dam import keys
from dam.catalogue.storage import TableHandle
from dam.catalogue.table import Catalogue
from dam.ids import new_id
from dam.jobs import EnrichJob
from dam.store.delta import delta_location
from orchestrator.inference import Bento
from orchestrator.metrics import Metrics
from orchestrator.outages import Gate
from orchestrator.running import Parts, probe, work
from orchestrator.settings import OrchestratorSettings
from tests.fakes.queue import MemoryQueue
from tests.fakes.store import MemoryStore
from tests.orchestrator.bento import FakeBento

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from dam.catalogue.row import Row

RECEIVED_AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def draw(seed: int = 0, size: tuple[int, int] = (64, 48), **save: Any) -> bytes:
    """A small JPEG; each seed gives other bytes."""
    image = Image.new("RGB", size, (seed * 37 % 256, seed * 91 % 256, seed % 256))
    image.putpixel((seed % size[0], 0), (255, 255, 255))
    buffer = io.BytesIO()
    image.save(buffer, **{"format": "JPEG", **save})
    return buffer.getvalue()


def job_for(data: bytes, **fields: Any) -> EnrichJob:
    """A job as ingest makes it; `fields` win."""
    asset_id = fields.pop("asset_id", None) or new_id()
    known = {
        "asset_id": asset_id,
        "key": keys.original(asset_id, "jpg"),
        "filename": "picture.jpg",
        "mime_type": "image/jpeg",
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "received_at": RECEIVED_AT,
        "actor": "person:anna",
    }
    return EnrichJob(**{**known, **fields})


@dataclass
class Rig:
    """One bucket, queue and Bento; as many orchestrators on them as a test starts."""

    settings: OrchestratorSettings
    store: MemoryStore
    catalogue: Catalogue
    queue: MemoryQueue
    bento: FakeBento
    gates: list[Gate] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)

    @asynccontextmanager
    async def orchestrator(self, **settings: Any) -> AsyncIterator[asyncio.Event]:
        """Run one; yields its stop event. It must end by itself within ten seconds of it."""
        stop = asyncio.Event()
        own = self.settings.model_copy(update=settings)
        async with Bento(own) as bento:
            gate = Gate(partial(probe, self.store, bento), first_pause_s=0.02, longest_pause_s=0.1)
            self.gates.append(gate)
            parts = Parts(self.store, self.catalogue, self.queue, bento, gate, self.metrics)
            working = asyncio.create_task(work(parts, own, stop))
            try:
                yield stop
            finally:
                stop.set()
                async with asyncio.timeout(10):
                    await working

    async def upload(self, data: bytes, **fields: Any) -> EnrichJob:
        """What ingest does: the original, then the job."""
        job = job_for(data, **fields)
        await self.store.put(job.key, data, content_type=job.mime_type)
        await self.queue.publish(job.to_bytes())
        return job

    async def row(self, job: EnrichJob) -> Row:
        """The asset's current row, as soon as there is one."""
        return await self.row_where(job, lambda _: True)

    async def row_where(self, job: EnrichJob, is_it: Callable[[Row], bool]) -> Row:
        """The asset's current row, as soon as it is the one meant."""
        async with asyncio.timeout(15):
            while True:
                row = (await self.catalogue.current([job.asset_id])).get(job.asset_id)
                if row and is_it(row):
                    return row
                await asyncio.sleep(0.02)

    async def vector(self, job: EnrichJob) -> dict[str, Any]:
        """The stored vector."""
        body = json.loads((await self.store.get(keys.vector(job.asset_id))).data)
        assert isinstance(body, dict)
        return body

    async def embedding(self, job: EnrichJob) -> list[float]:
        """The vector in the asset's only row; the catalogue's own reads leave that column out."""
        uri, options = delta_location(self.settings)
        handle = await asyncio.to_thread(TableHandle.open, uri, options)
        [row] = handle.scan(["embedding"], f"id = '{job.asset_id}'").read_all().to_pylist()
        values = row["embedding"]
        assert isinstance(values, list)
        return values

    async def until(self, is_so: Callable[[], bool], within_s: float = 15) -> None:
        """Wait until something in this process is so."""
        async with asyncio.timeout(within_s):
            while not is_so():  # noqa: ASYNC110 - what is watched offers no event
                await asyncio.sleep(0.01)

    async def paused(self) -> None:
        """Wait until the intake is shut and everything has been given back."""
        await self.until(lambda: not self.gates[-1].is_open and not self.queue.held)

    async def settled(self) -> None:
        """Wait until nothing is queued, held or delayed."""
        async with asyncio.timeout(15):
            while True:
                depth = await self.queue.depth()
                if not (depth.ready or depth.in_flight or depth.delayed or depth.dead):
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def open_rig(folder: Path) -> AsyncIterator[Rig]:
    """A rig whose retries wait hundredths of the port's seconds."""
    bento = FakeBento()
    await bento.start()
    settings = OrchestratorSettings(
        data_dir=folder, bento_url=bento.url, commit_linger_s=0.01, bento_patience_s=0.5, drain_s=5
    )
    catalogue = await Catalogue.open(settings)
    queue = MemoryQueue(second_s=0.01)
    try:
        yield Rig(settings, MemoryStore(), catalogue, queue, bento)
    finally:
        await catalogue.close()
        await queue.close()
        await bento.stop()
