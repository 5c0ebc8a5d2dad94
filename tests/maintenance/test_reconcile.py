"""Reconcile: originals without a row are queued, each once, and nothing is deleted."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.claims import Claim, claim_content, read_claim
from dam.errors import QueueUnavailableError, StoreUnavailableError
from dam.ids import new_id
from dam.jobs import parse
from dam.maintenance.reconciliation import Reconciler
from dam.queue.sqlite import SqliteQueue
from tests.fakes.queue import MemoryQueue
from tests.fakes.store import MemoryStore
from tests.maintenance.rows import IDS, NOW, Bench, make_row
from tests.maintenance.uploads import sha256, upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store.port import ObjectInfo


def queued_ids(queue: MemoryQueue) -> list[str]:
    """Assets of every job that was published."""
    return [parse(body).asset_id for body in queue.published]


async def test_an_original_without_a_row_is_queued_as_it_was_uploaded(either_bench: Bench) -> None:
    """The job has what ingest's would have had, from the bucket alone; assets with a row are left alone."""
    store, queue = either_bench.store, MemoryQueue()
    data = b"picture" * 1000
    lost = await upload(store, data, claimed=False)
    done, failed = await upload(store, b"done"), await upload(store, b"failed")
    either_bench.append(make_row(done), make_row(failed, 1, "failed"))
    report = await Reconciler(store, queue, either_bench.settings).run(0)
    [job] = [parse(body) for body in queue.published]
    assert (job.asset_id, job.key, job.sha256) == (lost, keys.original(lost, "jpg"), sha256(data))
    assert (job.filename, job.mime_type, job.size_bytes) == ("Füße.jpg", "image/jpeg", len(data))
    assert (job.received_at, job.actor, job.expected_revision) == (NOW, "person:anna", 0)
    assert await read_claim(store, sha256(data)) == Claim(id=lost, key=job.key, size=len(data))
    assert (report.originals, report.with_row, report.queued.count) == (3, 2, 1)


async def test_a_lost_queue_is_rebuilt(bench: Bench, tmp_path: Path) -> None:
    """After the queue's file was deleted, every upload that has no row is in the new one."""
    path = tmp_path / "queue.sqlite"
    queue = await SqliteQueue.open(path)
    ids = [await upload(bench.store, os.urandom(100)) for _ in range(20)]
    for _ in ids:
        await queue.publish(b"lost")
    await queue.close()
    for part in path.parent.glob("queue.sqlite*"):
        part.unlink()
    bench.append(*[make_row(asset_id) for asset_id in ids[:5]])
    queue = await SqliteQueue.open(path)
    report = await Reconciler(bench.store, queue, bench.settings).run(0)
    assert (report.with_row, report.queued.count) == (5, 15)
    async with queue.consume(20) as deliveries:
        found = {parse((await anext(deliveries)).body).asset_id for _ in range(15)}
    assert found == set(ids[5:])
    await queue.close()


async def test_a_young_original_is_left_to_its_upload(bench: Bench) -> None:
    """What was stored a moment ago may still be on its way."""
    await upload(bench.store, b"new")
    queue = MemoryQueue()
    report = await Reconciler(bench.store, queue, bench.settings).run(600)
    assert (report.young, queue.published) == (1, [])


async def test_of_the_same_content_one_is_queued_and_none_deleted(bench: Bench) -> None:
    """The holder of the claim is queued; the other is named as its duplicate and stays where it is."""
    first = await upload(bench.store, b"same")
    second = await upload(bench.store, b"same")
    queue = MemoryQueue()
    reconciler = Reconciler(bench.store, queue, bench.settings)
    report = await reconciler.run(0)
    assert queued_ids(queue) == [first]
    assert report.duplicates.first == [(second, f"the same content as {first}")]
    assert await bench.store.head(keys.original(second, "jpg"))
    bench.append(make_row(first))
    again = await reconciler.run(0)
    assert (again.duplicates.count, again.queued.count) == (1, 0)


async def test_a_duplicate_is_read_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A duplicate never gets a row, and a process that runs for months does not read it every ten minutes."""
    await upload(bench.store, b"same")
    second = await upload(bench.store, b"same")
    reads: list[str] = []
    stream = bench.store.stream

    def watched(key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        reads.append(key)
        return stream(key, start, end)

    monkeypatch.setattr(bench.store, "stream", watched)
    reconciler = Reconciler(bench.store, MemoryQueue(), bench.settings)
    await reconciler.run(0)
    await reconciler.run(0)
    assert reads.count(keys.original(second, "jpg")) == 1


async def test_a_claim_whose_original_is_gone_is_taken_over(bench: Bench) -> None:
    """An upload that lost to a claim of nothing is not a duplicate of anything."""
    gone = await upload(bench.store, b"same")
    await bench.store.delete(keys.original(gone, "jpg"))
    kept = await upload(bench.store, b"same")
    queue = MemoryQueue()
    await Reconciler(bench.store, queue, bench.settings).run(0)
    assert queued_ids(queue) == [kept]
    claim = await read_claim(bench.store, sha256(b"same"))
    assert claim is not None
    assert claim.id == kept


async def test_a_deleted_assets_content_is_not_queued_again(bench: Bench) -> None:
    """Its owner may restore it: the report says whose it is."""
    deleted = new_id()
    key = keys.original(deleted, "jpg")
    await upload(bench.store, b"same", deleted, claimed=False)
    await claim_content(bench.store, sha256(b"same"), Claim(id=deleted, key=key, size=4, status="deleted"))
    bench.append(make_row(deleted, 1, "deleted"))
    other = await upload(bench.store, b"same", claimed=False)
    queue = MemoryQueue()
    report = await Reconciler(bench.store, queue, bench.settings).run(0)
    assert report.duplicates.first == [(other, f"the same content as {deleted}, which is deleted")]
    assert queue.published == []


async def test_the_join_holds_for_any_mixture(memory_bench: Bench) -> None:
    """Ids before, between and after those of the table, foreign keys, rows beyond memory: each is judged."""
    ids = sorted(new_id() for _ in range(100)) + IDS
    with_row = {asset_id for number, asset_id in enumerate(ids) if number % 3}
    for asset_id in ids:
        if asset_id not in IDS[4:8]:  # rows whose original is gone
            await upload(memory_bench.store, asset_id.encode(), asset_id)
    await memory_bench.store.put(f"{keys.ASSETS}readme.txt", b"hello")
    rows = sorted(with_row | set(IDS[4:8]), reverse=True)
    for at in range(0, len(rows), 20):
        memory_bench.append(*[make_row(asset_id) for asset_id in rows[at : at + 20]])
    queue = MemoryQueue()
    settings = memory_bench.settings.model_copy(update={"sort_memory_bytes": 1000})
    report = await Reconciler(memory_bench.store, queue, settings).run(0)
    assert sorted(queued_ids(queue)) == sorted(set(ids) - with_row - set(IDS[4:8]))
    assert report.foreign.first == [("assets/readme.txt", "not an original's key")]
    assert report.originals == len(ids) - 4


async def test_a_row_that_came_meanwhile_counts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An asset that is enriched while the listing runs is not queued."""
    lost, quick = await upload(bench.store, b"lost"), await upload(bench.store, b"quick")
    listing = bench.store.list

    async def slow(prefix: str, *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        async for info in listing(prefix, start_after=start_after):
            yield info
        bench.append(make_row(quick))

    monkeypatch.setattr(bench.store, "list", slow)
    queue = MemoryQueue()
    await Reconciler(bench.store, queue, bench.settings).run(0)
    assert queued_ids(queue) == [lost]


@pytest.mark.parametrize("part", ["queue", "store"])
async def test_an_outage_half_way_is_finished_by_the_next_run(
    memory_bench: Bench, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """It says what is down; what it had queued stays queued, and the next run does the rest."""
    store, queue = memory_bench.store, MemoryQueue()
    assert isinstance(store, MemoryStore)
    ids = [await upload(store, os.urandom(10)) for _ in range(6)]
    publish = queue.publish

    async def failing(body: bytes) -> None:
        await publish(body)
        if len(queue.published) == 3:
            (queue if part == "queue" else store).down = "It is down."

    monkeypatch.setattr(queue, "publish", failing)
    reconciler = Reconciler(store, queue, memory_bench.settings)
    with pytest.raises((QueueUnavailableError, StoreUnavailableError), match="It is down"):
        await reconciler.run(0)
    queue.down = store.down = None
    await reconciler.run(0)
    assert set(queued_ids(queue)) == set(ids)


async def test_reconcilers_may_run_side_by_side(bench: Bench) -> None:
    """Two at once queue the same assets under the same claims: more jobs, no other harm."""
    ids = {await upload(bench.store, os.urandom(10), claimed=False) for _ in range(5)}
    queue = MemoryQueue()
    runs = [Reconciler(bench.store, queue, bench.settings).run(0) for _ in range(2)]
    await asyncio.gather(*runs)
    assert set(queued_ids(queue)) == ids


async def test_ages_are_the_stores(bench: Bench) -> None:
    """An original counts as old by when it was last modified, whatever its id says of the time."""
    asset_id = await upload(bench.store, b"old")
    path = Path(bench.store.url, keys.original(asset_id, "jpg"))
    hour_ago = datetime.now(UTC).timestamp() - 3600
    os.utime(path, (hour_ago, hour_ago))
    queue = MemoryQueue()
    report = await Reconciler(bench.store, queue, bench.settings).run(600)
    assert report.queued.count == 1
