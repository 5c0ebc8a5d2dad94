"""Before it is adopted: nothing of this pipeline harms such a bucket, whatever is started."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.adopt.former import NotAdoptedError, holds_former_table
from dam.maintenance.reconciliation import Reconciler
from tests.adopt.original import draw
from tests.maintenance.processes import maintaining, run_dam

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest.monkeypatch import MonkeyPatch

    from tests.adopt.bucket import Former
    from tests.maintenance.rows import Bench


async def test_the_snapshot_does_not_replace_the_originals_table(either_former: Former) -> None:
    """Not until a copy of it is kept; then it does, with the rows that were taken over."""
    ids = await either_former.worker.process_all(2)
    before = await either_former.store.get(keys.SNAPSHOT)
    async with either_former.open() as adopting:
        with pytest.raises(NotAdoptedError, match="dam adopt"):
            await adopting.verified.publish()
        assert (await either_former.store.get(keys.SNAPSHOT)).data == before.data
        report = await adopting.adopt(vectors_by="clip@1")
        assert report.kept_at
        assert (await either_former.store.get(report.kept_at)).data == before.data
        await adopting.verified.publish()
        assert (await either_former.store.get(keys.SNAPSHOT)).data != before.data
        await adopting.check_well()
        rows = await adopting.verified.catalogue.current(ids)
        assert sorted(rows) == sorted(ids)


async def test_publishing_begins_by_itself(former: Former, bench: Bench, monkeypatch: MonkeyPatch) -> None:
    """A publisher that was refused looks again after a pause, and not before."""
    await former.worker.process_all(2)
    patient = bench.publisher()
    with pytest.raises(NotAdoptedError):
        await patient.step()
    await patient.step()
    monkeypatch.setattr("dam.maintenance.snapshot._NOT_ADOPTED_PAUSE_S", 0.0)
    publisher = bench.publisher()
    for _ in range(2):
        with pytest.raises(NotAdoptedError):
            await publisher.step()
    async with former.open() as adopting:
        await adopting.adopt()
    await publisher.step()
    assert (await bench.read_snapshot()).num_rows == 2


async def test_reconcile_queues_nothing_before(either_former: Former, tmp_path: Path) -> None:
    """It would have every picture captioned anew; afterwards it has nothing to queue."""
    await either_former.worker.process_all(2)
    async with either_former.open() as adopting:
        queue, settings = adopting.verified.queue, either_former.settings
        with pytest.raises(NotAdoptedError):
            await Reconciler(either_former.store, queue, settings).run(0)
        assert queue.published == []
        assert await holds_former_table(either_former.store, tmp_path)
        await adopting.adopt(vectors_by="clip@1")
        assert not await holds_former_table(either_former.store, tmp_path)
        report = await Reconciler(either_former.store, queue, settings).run(0)
        assert (report.originals, report.with_row, report.queued.count) == (2, 2, 0)
        await adopting.verified.publish()
        assert not await holds_former_table(either_former.store, tmp_path)


async def test_a_repair_takes_nothing_over(former: Former) -> None:
    """`dam verify --repair` queues no picture, replaces no table, and removes neither vectors nor copies."""
    [lost, *_] = await former.worker.process_all(3)
    await former.store.delete(f"assets/{lost}.jpg")
    async with former.open() as adopting:
        await adopting.verified.add("uploaded since", draw(1))
        before = await former.describe()
        report = await adopting.verified.verify(repair=True)
        assert {finding.kind.value: finding.mending.value for finding in report.findings} == {
            "row_missing": "not possible",
            "unclaimed_copy": "not possible",
            "snapshot": "not possible",
        }
        assert adopting.verified.queue.published == []
        assert await former.describe() == before


async def test_maintenance_waits_and_then_goes_on(former: Former, tmp_path: Path) -> None:
    """A running `dam maintain` says what it waits for, touches nothing, and ends as ever."""
    await former.worker.process_all(2)
    before = (await former.store.get(keys.SNAPSHOT)).data
    with maintaining(former.settings, tmp_path / "log", DAM_RECONCILE_MIN_AGE_S="0") as maintainer:
        maintainer.wait_for("maintenance.failed", 2)
        told = [line for line in maintainer.lines() if line["event"] == "maintenance.failed"]
        assert {line["what"] for line in told} >= {"snapshot", "reconcile"}
        assert all("dam adopt" in line["reason"] for line in told)
        assert (await former.store.get(keys.SNAPSHOT)).data == before
        assert run_dam(former.settings, "adopt", "--yes", "--dim", "8").returncode == 0
        assert maintainer.stop(signal.SIGTERM) == 0
