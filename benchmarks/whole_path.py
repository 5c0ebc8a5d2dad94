"""The whole path as its real processes. `pipeline` and `pipeline_peer` send pictures through it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.upload_clients import Client, File, Pace, keep_busy
from dam import keys, routes
from dam.catalogue.table import Catalogue
from dam.ids import new_id
from dam.local.pictures import SAMPLES, read_truth
from dam.local.services import running_services
from dam.originals import UNKNOWN_ACTOR, job_of, metadata_of
from dam.queue.opening import open_queue
from dam.store.opening import open_store
from dam.store.port import ObjectInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence
    from pathlib import Path

    from dam.jobs import EnrichJob
    from dam.local.addresses import Addresses
    from dam.queue.port import JobQueue
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore

CLIENTS: Final = 16
_LOOK_S: Final = 0.05
_PATIENCE_S: Final = 300.0
_FINAL: Final = {"acknowledge", "fail", "deadletter"}
"""Endings after which a job does not come back."""
_MEDIA_TYPE: Final = "image/jpeg"


@dataclass(frozen=True, slots=True)
class WholePath:
    """All services, running on one bucket and one broker."""

    addresses: Addresses
    store: ObjectStore
    queue: JobQueue
    catalogue: Catalogue
    orchestrator: httpx.AsyncClient

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: DamSettings, rows: int) -> AsyncIterator[Self]:
        """Start the services; yield once they are ready, and have a snapshot and an index of their `rows`."""
        async with AsyncExitStack() as stack:
            addresses, _ = await stack.enter_async_context(running_services(settings))
            store = await open_store(settings)
            stack.push_async_callback(store.close)
            queue = await open_queue(settings)
            stack.push_async_callback(queue.close)
            catalogue = await Catalogue.open(settings)
            stack.push_async_callback(catalogue.close)
            client = httpx.AsyncClient(base_url=addresses.orchestrator, trust_env=False)
            await stack.enter_async_context(client)
            if rows:
                await _wait_for(settings, {"snapshot.published", "index.built"})
            yield cls(addresses, store, queue, catalogue, client)

    async def upload(self, files: Sequence[File]) -> Pace:
        """Upload them all, and wait until each has its row."""
        ended = await self._ended()
        clients = [Client(self.addresses.ingest) for _ in range(CLIENTS)]
        started = time.perf_counter()
        await keep_busy([client.send for client in clients], iter(files))
        await self._wait(ended + len(files))
        seconds = time.perf_counter() - started
        for client in clients:
            await client.close()
        await self._check([asset_id for client in clients for asset_id in client.ids])
        return Pace(len(files), seconds)

    async def work_off(self, files: Sequence[File]) -> Pace:
        """Queue jobs for files that are in the bucket before the time starts, and wait for their rows."""
        jobs = [await self._store(file) for file in files]
        ended = await self._ended()
        started = time.perf_counter()
        await asyncio.gather(*(self.queue.publish(job.to_bytes()) for job in jobs))
        await self._wait(ended + len(files))
        seconds = time.perf_counter() - started
        await self._check([job.asset_id for job in jobs])
        return Pace(len(files), seconds)

    async def _store(self, file: File) -> EnrichJob:
        data, asset_id, now = b"".join(file), new_id(), datetime.now(UTC)
        key, metadata = keys.original(asset_id, "jpg"), metadata_of("picture.jpg", now, UNKNOWN_ACTOR)
        await self.store.put(key, data, content_type=_MEDIA_TYPE, metadata=metadata)
        original = ObjectInfo(key, len(data), "", now, _MEDIA_TYPE, metadata)
        return job_of(original, asset_id, hashlib.sha256(data).hexdigest())

    async def _wait(self, ended: int) -> None:
        """Until the orchestrator has done with so many jobs: that is cheaper to ask than the catalogue."""
        async with asyncio.timeout(_PATIENCE_S):
            while await self._ended() < ended:  # noqa: ASYNC110 - another process's counter
                await asyncio.sleep(_LOOK_S)

    async def _ended(self) -> int:
        text = (await self.orchestrator.get(routes.METRICS)).text
        return sum(
            int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "dam_orchestrator_deliveries_total" and sample.labels["ending"] in _FINAL
        )

    async def _check(self, ids: Collection[str]) -> None:
        """Raise RuntimeError unless each has its row, and is enriched."""
        rows = await self.catalogue.current(ids)
        missed = [asset_id for asset_id in ids if asset_id not in rows or rows[asset_id].status != "ready"]
        if missed:
            row = rows.get(missed[0])
            reason = row.error_message if row else "it has no row"
            raise RuntimeError(f"{len(missed)} of {len(ids)} pictures were not enriched; the first: {reason}")


def sample_pictures() -> list[bytes]:
    """The JPEGs among the samples, which the demo models know how to caption."""
    return [(SAMPLES / name).read_bytes() for name in read_truth(SAMPLES) or {} if name.endswith(".jpg")]


async def _wait_for(settings: DamSettings, events: set[str]) -> None:
    """Until maintenance has logged them all."""
    log = settings.data_dir / "logs" / "maintenance.log"
    async with asyncio.timeout(_PATIENCE_S):
        while not events <= {json.loads(line)["event"] for line in _lines(log)}:  # noqa: ASYNC110 - as above
            await asyncio.sleep(_LOOK_S * 10)


def _lines(log: Path) -> list[bytes]:
    """Whole lines of a log that may just be written, those of JSON."""
    whole = log.read_bytes().rpartition(b"\n")[0]
    return [line for line in whole.splitlines() if line.startswith(b"{")]
