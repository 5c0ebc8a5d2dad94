"""`kill -9` of an orchestrator at any moment: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
from deltalake import DeltaTable
from PIL import Image

from dam import keys
from dam.queue.opening import open_queue
from dam.settings import DamSettings
from dam.store.delta import delta_location
from dam.store.opening import open_store
from tests.orchestrator import process
from tests.orchestrator.bento import DIM, FakeBento, caption, embed
from tests.orchestrator.rig import draw, job_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from dam.jobs import EnrichJob
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore
    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw

PICTURES: Final = 60
PER_SECOND: Final = 5.0
KILLS: Final = 8
SEED: Final = 20260504
SIZE: Final = (400, 300)


@dataclass
class Pipeline:
    """A bucket, a broker and a Bento, and what was uploaded: jobs and bytes by asset id."""

    environment: dict[str, str]
    settings: DamSettings
    store: ObjectStore
    queue: JobQueue
    bento: FakeBento
    logs: Path
    starts: int = 0
    uploaded: dict[str, tuple[EnrichJob, bytes]] = field(default_factory=dict)

    def start(self) -> process.Started:
        """One more orchestrator, with a log of its own."""
        self.starts += 1
        return process.start(self.environment, self.logs / f"{self.starts}.log")

    async def upload(self, enough: asyncio.Event) -> None:
        """What ingest does, at a steady pace, until `PICTURES` are there and it is `enough`."""
        while len(self.uploaded) < PICTURES or not enough.is_set():
            data = draw(len(self.uploaded), SIZE)
            job = job_for(data)
            self.uploaded[job.asset_id] = job, data
            await self.store.put(job.key, data, content_type=job.mime_type)
            await self.queue.publish(job.to_bytes())
            await asyncio.sleep(1 / PER_SECOND)

    async def table(self) -> list[dict[str, Any]]:
        """Every row of every revision, as any reader of Delta Lake sees them."""
        uri, options = delta_location(self.settings)

        def read() -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = (
                DeltaTable(uri, storage_options=options).to_pyarrow_table().to_pylist()
            )
            return rows

        return await asyncio.to_thread(read)

    async def waiting(self) -> int:
        """Messages that the broker has not handed out."""
        depth = await self.queue.depth()
        return depth.ready + depth.delayed


@pytest.fixture
async def pipeline(
    radosgw: Radosgw, rabbitmq: RabbitMq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pipeline]:
    async with AsyncExitStack() as stack:
        bento = FakeBento(delay_s=0.3)
        await bento.start()
        stack.push_async_callback(bento.stop)
        environment = radosgw.environment(radosgw.create_bucket()) | {
            "DAM_QUEUE_URL": rabbitmq.new_vhost(),
            "DAM_BENTO_URL": bento.url,
            "DAM_PREFETCH": "4",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = DamSettings()
        store, queue = await open_store(settings), await open_queue(settings)
        stack.push_async_callback(store.close)
        stack.push_async_callback(queue.close)
        yield Pipeline(environment, settings, store, queue, bento, tmp_path)


@asynccontextmanager
async def two_orchestrators(pipeline: Pipeline) -> AsyncIterator[list[process.Started]]:
    """Two, of which the test may put others in the place; all are gone in the end."""
    pair = [pipeline.start(), pipeline.start()]
    try:
        yield pair
    finally:
        for one in pair:
            one.process.kill()
            one.process.wait()


async def until(is_so: Callable[[], bool], within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - processes offer no event
            await asyncio.sleep(0.01)


async def both_work(pair: list[process.Started]) -> None:
    for one in pair:
        await until(lambda one=one: "intake.opened" in one.said())  # type: ignore[misc]  # a bound default


async def kill_one_after_the_other(pipeline: Pipeline, pair: list[process.Started]) -> None:
    """`kill -9` one of the two at a random moment of its work and start another; never both at once."""
    chance = random.Random(SEED)  # noqa: S311 - the same moments in each run
    for _ in range(KILLS):
        await both_work(pair)
        victim = chance.randrange(2)
        await asyncio.sleep(chance.uniform(0, 0.9))
        pair[victim].process.kill()
        pair[victim].process.wait()
        pair[victim] = pipeline.start()
    await both_work(pair)


async def test_killing_orchestrators_loses_nothing_and_doubles_nothing(pipeline: Pipeline) -> None:
    """Two orchestrators, eight kills in the middle of their work: counted from outside, all is as if none."""
    killed = asyncio.Event()
    async with two_orchestrators(pipeline) as pair:
        uploading = asyncio.create_task(pipeline.upload(killed))
        await kill_one_after_the_other(pipeline, pair)
        killed.set()
        await uploading
        async with asyncio.timeout(60):
            while await pipeline.waiting() or pipeline.bento.in_flight:  # noqa: ASYNC110 - as in `until`
                await asyncio.sleep(0.1)
        statuses = [await asyncio.to_thread(one.stop) for one in pair]
    assert statuses == [0, 0]
    await expect_one_row_each(pipeline)
    await expect_vectors_and_thumbnails(pipeline)
    depth = await pipeline.queue.depth()
    assert (depth.ready, depth.in_flight, depth.delayed, depth.dead, depth.parked) == (0, 0, 0, 0, 0)
    # The kills hit work: of different pictures, some went to the models more than once.
    assert len({data for _, data in pipeline.uploaded.values()}) == len(pipeline.uploaded)
    assert max(pipeline.bento.asked.values()) > 1


async def expect_one_row_each(pipeline: Pipeline) -> None:
    """Revisions 1 to n without a repeat, one of them current, and it says what was uploaded."""
    revisions = defaultdict(list)
    for row in await pipeline.table():
        revisions[row["id"]].append(row)
    assert set(revisions) == set(pipeline.uploaded)
    for asset_id, (job, data) in pipeline.uploaded.items():
        rows = sorted(revisions[asset_id], key=lambda row: row["revision"])
        assert [row["revision"] for row in rows] == list(range(1, len(rows) + 1))
        assert len({row["change_id"] for row in rows}) == len(rows)
        current = rows[-1]
        assert (current["status"], current["attempts"], current["error_code"]) == ("ready", 1, None)
        assert (current["change_id"], current["r2_key"]) == (job.change_id, job.key)
        assert current["sha256"] == hashlib.sha256(data).hexdigest()
        assert (current["caption"], current["vector_key"]) == (caption(data), keys.vector(asset_id))
        assert current["embedding"] == pytest.approx(embed(data), abs=1e-6)
        assert (current["width"], current["height"]) == SIZE


async def expect_vectors_and_thumbnails(pipeline: Pipeline) -> None:
    """What a row names is there and is right, and there is nothing else."""
    for asset_id, (_, data) in pipeline.uploaded.items():
        vector = json.loads((await pipeline.store.get(keys.vector(asset_id))).data)
        assert vector == {"id": asset_id, "model": "tiny-clip@r2", "dim": DIM, "embedding": embed(data)}
        for size in keys.THUMBNAIL_SIZES:
            stored = await pipeline.store.get(keys.thumbnail(asset_id, size))
            with Image.open(io.BytesIO(stored.data)) as picture:
                assert (picture.format, max(picture.size)) == ("WEBP", min(size, max(SIZE)))
    for prefix, each in ((keys.ASSETS, 1), (keys.VECTORS, 1), (keys.THUMBS, len(keys.THUMBNAIL_SIZES))):
        found = [info.key async for info in pipeline.store.list(prefix)]
        assert len(found) == each * len(pipeline.uploaded)
