"""`dam maintain` as processes: who works, what a stop and a kill leave, what an outage costs."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from dam import keys
from dam.errors import ObjectNotFoundError
from dam.ids import new_id
from dam.jobs import parse
from dam.queue.opening import open_queue
from tests.maintenance.processes import maintaining, run_dam, wait_until
from tests.maintenance.rows import Bench, make_row
from tests.maintenance.uploads import upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.maintenance.settings import MaintenanceSettings
    from dam.store.port import ObjectStore

KILLS = 2


async def snapshot_ids(store: ObjectStore) -> set[str]:
    """Ids in the published snapshot; it must be readable whenever it is there."""
    try:
        found = await store.get(keys.SNAPSHOT)
    except ObjectNotFoundError:
        return set()
    return set(pq.read_table(io.BytesIO(found.data))["id"].to_pylist())


async def until_published(store: ObjectStore, ids: set[str]) -> None:
    """Wait until the snapshot holds exactly these."""
    for _ in range(600):
        if await snapshot_ids(store) == ids:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("The snapshot did not get there in 30 s.")


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait in a thread, so that this test's own loop goes on."""
    await asyncio.to_thread(wait_until, condition, what)


async def test_a_row_is_in_the_snapshot_within_three_seconds(either_bench: Bench, tmp_path: Path) -> None:
    """With the intervals that it has by default, while rows are coming."""
    intervals = {"DAM_POLL_S": "1", "DAM_IDLE_POLL_S": "1", "DAM_SNAPSHOT_INTERVAL_S": "2"}
    with maintaining(either_bench.settings, tmp_path / "log", **intervals) as maintainer:
        await until(lambda: "snapshot.published" in maintainer.events(), "a first snapshot")
        ids = {new_id() for _ in range(4)}
        for asset_id in ids:
            either_bench.append(make_row(asset_id))
            await asyncio.sleep(0.5)
        committed_at = time.monotonic()
        await until_published(either_bench.store, ids)
        assert time.monotonic() - committed_at < 3.5
        assert maintainer.stop(signal.SIGTERM) == 0


async def test_one_works_and_the_other_takes_over(bench: Bench, tmp_path: Path) -> None:
    """The second waits; it begins when the first was stopped, and after a kill when the lease expired."""
    with (
        maintaining(bench.settings, tmp_path / "1") as first,
        maintaining(bench.settings, tmp_path / "2") as second,
    ):
        await until(lambda: "maintenance.started" in first.events() + second.events(), "one has started")
        await until(lambda: "lease.waiting" in first.events() + second.events(), "the other waits")
        holder, waiter = (first, second) if "maintenance.started" in first.events() else (second, first)
        assert "maintenance.started" not in waiter.events()
        assert holder.stop(signal.SIGTERM) == 0
        await until(lambda: "maintenance.started" in waiter.events(), "the waiter has started")
        with maintaining(bench.settings, tmp_path / "3") as third:
            await until(lambda: "lease.waiting" in third.events(), "a third waits")
            waiter.stop(signal.SIGKILL)
            await until(lambda: "maintenance.started" in third.events(), "the third has started")
            asset_id = new_id()
            bench.append(make_row(asset_id))
            await until(lambda: third.events().count("snapshot.published") > 0, "a snapshot")


async def test_one_that_was_replaced_stops_its_work(bench: Bench, tmp_path: Path) -> None:
    """A process that slept through its lease's expiry stops at once when it wakes up, and waits again."""
    with maintaining(bench.settings, tmp_path / "1") as sleeper:
        await until(lambda: "snapshot.published" in sleeper.events(), "it works")
        sleeper.process.send_signal(signal.SIGSTOP)
        with maintaining(bench.settings, tmp_path / "2") as heir:
            await until(lambda: "maintenance.started" in heir.events(), "the heir has started")
            sleeper.process.send_signal(signal.SIGCONT)
            await until(lambda: "maintenance.lease_lost" in sleeper.events(), "it has stopped")
            assert sleeper.events()[-1] != "maintenance.started"
            asset_id = new_id()
            bench.append(make_row(asset_id))
            await until(lambda: heir.events().count("snapshot.published") > 0, "the heir publishes")


async def test_kills_in_the_middle_leave_everything_readable(either_bench: Bench, tmp_path: Path) -> None:
    """Killed again and again during snapshots, compactions and checkpoints: no row and no reader is lost."""
    busy = {
        "DAM_COMPACTION_INTERVAL_S": "0.2",
        "DAM_COMPACTION_MIN_FILES": "2",
        "DAM_CHECKPOINT_EVERY": "2",
        "DAM_VACUUM_FIRST_S": "0",
    }
    ids: set[str] = set()
    dice = random.Random(7)  # noqa: S311 - moments, not secrets
    for number in range(KILLS):
        with maintaining(either_bench.settings, tmp_path / f"{number}", **busy) as maintainer:
            await until(lambda: "maintenance.started" in maintainer.events(), "it works")
            deadline = time.monotonic() + dice.uniform(0.3, 1.5)
            while time.monotonic() < deadline:
                asset_id = new_id()
                either_bench.append(make_row(asset_id))
                ids.add(asset_id)
            maintainer.stop(signal.SIGKILL)
        assert await snapshot_ids(either_bench.store) <= ids
        either_bench.handle.refresh()
        assert set(either_bench.handle.scan(["id"]).read_all()["id"].to_pylist()) == ids
        await either_bench.store.delete(keys.MAINTENANCE_LEASE)  # the next need not wait for its expiry
    with maintaining(either_bench.settings, tmp_path / "last", **busy) as maintainer:
        await until_published(either_bench.store, ids)
        assert maintainer.stop(signal.SIGTERM) == 0


def put_back(away: Path, root: Path) -> None:
    """Move a folder back to its place, where what still runs may make another one at any moment."""
    while away.exists():
        shutil.rmtree(root, ignore_errors=True)
        with contextlib.suppress(OSError):  # one was made and filled meanwhile
            away.rename(root)


async def test_an_outage_of_the_bucket_is_waited_out(bench: Bench, tmp_path: Path) -> None:
    """While the folder is away it says so and tries again; afterwards it goes on by itself."""
    with maintaining(bench.settings, tmp_path / "log") as maintainer:
        await until(lambda: "snapshot.published" in maintainer.events(), "it works")
        root = Path(bench.store.url)
        shutil.move(root, tmp_path / "away")
        await until(lambda: "maintenance.failed" in maintainer.events(), "it says so")
        put_back(tmp_path / "away", root)
        asset_id = new_id()
        bench.append(make_row(asset_id))
        await until_published(bench.store, {asset_id})
        assert maintainer.stop(signal.SIGINT) == 0


async def test_lost_uploads_are_queued_by_itself(bench: Bench, tmp_path: Path) -> None:
    """An upload whose job was lost is found without anybody asking, and queued once."""
    asset_id = await upload(bench.store, b"lost", claimed=False)
    often = dict.fromkeys(("DAM_RECONCILE_INTERVAL_S", "DAM_RECONCILE_RETRY_S"), "0.2")
    often["DAM_RECONCILE_MIN_AGE_S"] = "0"
    with maintaining(bench.settings, tmp_path / "log", **often) as maintainer:
        await until(lambda: "reconcile.postponed" in maintainer.events(), "it waits for the job to be taken")
        assert maintainer.events().count("reconcile.queued") == 1
    queue = await open_queue(bench.settings)
    assert (await queue.depth()).ready == 1
    async with queue.consume(1) as deliveries:
        delivery = await anext(deliveries)
        assert parse(delivery.body).asset_id == asset_id
        await delivery.ack()
    await queue.close()


@pytest.mark.parametrize(
    ("variable", "value", "status"),
    [
        ("DAM_STORE_URL", "ftp://somewhere", 1),
        ("DAM_QUEUE_URL", "http://somewhere", 1),
        ("DAM_KEEP_DAYS", "3", 2),
    ],
)
def test_a_wrong_setting_ends_it_with_a_sentence(
    settings: MaintenanceSettings, variable: str, value: str, status: int
) -> None:
    """Nothing is waited for: the message names the variable, without a traceback."""
    done = run_dam(settings, "maintain", **{variable: value})
    assert done.returncode == status
    assert variable.removeprefix("DAM_").lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
