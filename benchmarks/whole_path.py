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
import psutil
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
_QUIET_S: Final = 0.5
_QUIET_SHARE: Final = 0.15
_MEDIA_TYPE: Final = "image/jpeg"


@dataclass(frozen=True, slots=True)
class WholePath:
    """All services, running on one bucket and one broker."""

    addresses: Addresses
    store: ObjectStore
    queue: JobQueue
    catalogue: Catalogue
    orchestrator: httpx.AsyncClient
    processes: Sequence[psutil.Process]

    @classmethod
    @asynccontextmanager
    async def running(cls, settings: DamSettings, rows: int) -> AsyncIterator[Self]:
        """Start the services; yield once they are ready, and have a snapshot and an index of their `rows`."""
        async with AsyncExitStack() as stack:
            addresses, children = await stack.enter_async_context(running_services(settings))
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
            processes = [psutil.Process(child.pid) for child in children]
            yield cls(addresses, store, queue, catalogue, client, processes)

    async def upload(self, files: Sequence[File]) -> Pace:
        """Upload them all, and wait until each has its row."""
        ended = await self._ended()
        clients = [Client(self.addresses.ingest) for _ in range(CLIENTS)]
        started, spent = time.perf_counter(), self._cpu_seconds()
        await keep_busy([client.send for client in clients], iter(files))
        await self._wait(ended, [asset_id for client in clients for asset_id in client.ids])
        seconds = time.perf_counter() - started
        spent = self._cpu_seconds() - spent
        for client in clients:
            await client.close()
        return Pace(len(files), seconds, spent)

    async def work_off(self, files: Sequence[File]) -> Pace:
        """Queue jobs for files that are in the bucket before the time starts, and wait for their rows."""
        jobs = [await self._store(file) for file in files]
        ended = await self._ended()
        started, spent = time.perf_counter(), self._cpu_seconds()
        await asyncio.gather(*(self.queue.publish(job.to_bytes()) for job in jobs))
        await self._wait(ended, [job.asset_id for job in jobs])
        return Pace(len(files), time.perf_counter() - started, self._cpu_seconds() - spent)

    async def rest(self) -> None:
        """Wait until the services are quiet, so that what maintenance does later is not in another's way."""
        async with asyncio.timeout(_PATIENCE_S):
            busy = True
            while busy:
                before = self._cpu_seconds()
                await asyncio.sleep(_QUIET_S)
                busy = self._cpu_seconds() - before > _QUIET_SHARE * _QUIET_S

    def _cpu_seconds(self) -> float:
        """What all services and their workers have used of the processor."""
        everyone = [one for process in self.processes for one in (process, *process.children(recursive=True))]
        times = [one.cpu_times() for one in everyone]
        return float(sum(each.user + each.system for each in times))

    async def _store(self, file: File) -> EnrichJob:
        data, asset_id, now = b"".join(file), new_id(), datetime.now(UTC)
        key, metadata = keys.original(asset_id, "jpg"), metadata_of("picture.jpg", now, UNKNOWN_ACTOR)
        await self.store.put(key, data, content_type=_MEDIA_TYPE, metadata=metadata)
        original = ObjectInfo(key, len(data), "", now, _MEDIA_TYPE, metadata)
        return job_of(original, asset_id, hashlib.sha256(data).hexdigest())

    async def _wait(self, ended: int, ids: Collection[str]) -> None:
        """Until the orchestrator has done with them, which is cheap to ask, and each has its row.

        Raises:
            RuntimeError: one has failed.
        """
        async with asyncio.timeout(_PATIENCE_S):
            while await self._ended() < ended + len(ids):  # noqa: ASYNC110 - another process's counter
                await asyncio.sleep(_LOOK_S)
            # A job whose broker was lost meanwhile has ended twice.
            while len(rows := await self.catalogue.current(ids)) < len(ids):  # noqa: ASYNC110 - as above
                await asyncio.sleep(_LOOK_S)
        failed = [row for row in rows.values() if row.status != "ready"]
        if failed:
            first = f"{failed[0].id} because: {failed[0].error_message}"
            raise RuntimeError(f"{len(failed)} of {len(ids)} pictures were not enriched, the first {first}")

    async def _ended(self) -> int:
        text = (await self.orchestrator.get(routes.METRICS)).text
        return sum(
            int(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "dam_orchestrator_deliveries_total" and sample.labels["ending"] in _FINAL
        )


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
