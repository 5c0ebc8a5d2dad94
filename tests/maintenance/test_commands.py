"""`dam reconcile` and `dam jobs`, as an operator sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.ids import new_id
from dam.jobs import parse
from dam.queue.opening import open_queue
from tests.maintenance.processes import run_dam
from tests.maintenance.rows import NOW, Bench, make_row
from tests.maintenance.uploads import sha256, upload

if TYPE_CHECKING:
    from dam.catalogue.row import Row
    from dam.jobs import EnrichJob
    from dam.maintenance.settings import MaintenanceSettings


async def take_jobs(settings: MaintenanceSettings, count: int) -> list[EnrichJob]:
    """Jobs that are in the queue; there must be so many, and no more."""
    queue = await open_queue(settings)
    assert (await queue.depth()).ready == count
    async with queue.consume(count + 1) as deliveries:
        jobs = []
        for _ in range(count):
            delivery = await anext(deliveries)
            jobs.append(parse(delivery.body))
            await delivery.ack()
    await queue.close()
    return jobs


async def fail(bench: Bench, data: bytes, **values: object) -> Row:
    """An upload that ended as a failure, of its second revision."""
    asset_id = await upload(bench.store, data)
    known = {
        "r2_key": keys.original(asset_id, "jpg"),
        "filename": "Füße.jpg",
        "sha256": sha256(data),
        "error_code": "truncated",
        "error_message": "The picture [ends] too early.",
        "attempts": 3,
    }
    row = make_row(asset_id, 2, "failed", **{**known, **values})
    bench.append(make_row(asset_id, 1, "failed"), row)
    return row


async def test_reconcile_says_what_it_did(bench: Bench) -> None:
    """Counts, then each asset that it queued and each duplicate that it left."""
    lost = await upload(bench.store, b"lost")
    double = await upload(bench.store, b"lost")
    done = run_dam(bench.settings, "reconcile", "--min-age", "0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 originals: 0 have a row" in done.stdout
    assert f"queued: {lost}" in done.stdout
    assert f"duplicate, left where it is: {double} (the same content as {lost})" in done.stdout
    assert [job.asset_id for job in await take_jobs(bench.settings, 1)] == [lost]


async def test_reconcile_leaves_young_originals_by_default(bench: Bench) -> None:
    """Ten minutes, unless said otherwise."""
    await upload(bench.store, b"new")
    done = run_dam(bench.settings, "reconcile")
    assert "1 are younger than 600 s, 0 queued" in done.stdout
    await take_jobs(bench.settings, 0)


async def test_failed_assets_are_shown_with_their_reasons(bench: Bench) -> None:
    """As a table for people, as JSON for programs; assets that are well are not in it."""
    row = await fail(bench, b"bad")
    bench.append(make_row(new_id()))
    shown = run_dam(bench.settings, "jobs", "failed", COLUMNS="120").stdout
    for told in (row.id, "Füße.jpg", "truncated", "The picture [ends] too early.", "3", "2026-05-04"):
        assert told in shown
    [told] = json.loads(run_dam(bench.settings, "jobs", "failed", "--json").stdout)
    assert told == {
        "id": row.id,
        "filename": "Füße.jpg",
        "error_code": "truncated",
        "error_message": "The picture [ends] too early.",
        "attempts": 3,
        "recorded_at": NOW.isoformat(),
    }


async def test_a_retry_is_a_new_job_against_the_current_row(bench: Bench) -> None:
    """It expects the revision as it is, under a change id of its own, and names the upload's own actor."""
    row, other = await fail(bench, b"bad"), await fail(bench, b"worse")
    done = run_dam(bench.settings, "jobs", "retry", row.id)
    assert done.returncode == 0
    assert f"queued {row.id} Füße.jpg" in done.stdout
    assert other.id not in done.stdout
    [job] = await take_jobs(bench.settings, 1)
    assert (job.asset_id, job.expected_revision, job.key) == (row.id, 2, row.r2_key)
    assert job.change_id != row.change_id
    assert (job.sha256, job.actor, job.received_at) == (row.sha256, "person:anna", NOW)


async def test_all_failures_can_be_retried(bench: Bench) -> None:
    """Those whose original is gone are told, and keep nobody else from it."""
    well = await fail(bench, b"bad")
    unreadable = await fail(bench, b"worse", r2_key=None, sha256=None, filename=None)
    gone = await fail(bench, b"gone")
    await bench.store.delete(str(gone.r2_key))
    done = run_dam(bench.settings, "jobs", "retry", "--all")
    assert done.returncode == 1
    assert "2 of 3 failed assets queued." in done.stdout
    assert f"The original of asset {gone.id} (Füße.jpg) is not in the bucket" in done.stderr
    jobs = {job.asset_id: job for job in await take_jobs(bench.settings, 2)}
    assert set(jobs) == {well.id, unreadable.id}
    assert jobs[unreadable.id].sha256 == sha256(b"worse")


@pytest.mark.parametrize("asset", ["unknown", "no id", "ready"])
async def test_what_did_not_fail_is_not_retried(bench: Bench, asset: str) -> None:
    """An id that is unknown or that is well: a sentence, status 1, and nothing is queued at all."""
    failed, ready = await fail(bench, b"bad"), new_id()
    bench.append(make_row(ready))
    named = {"unknown": new_id(), "no id": "../x", "ready": ready}[asset]
    done = run_dam(bench.settings, "jobs", "retry", failed.id, named)
    assert done.returncode == 1
    assert named in done.stderr
    assert ("has not failed" if asset == "ready" else "has no asset") in done.stderr
    assert "Traceback" not in done.stderr
    await take_jobs(bench.settings, 0)


def test_a_retry_of_nothing_is_a_mistake(settings: MaintenanceSettings) -> None:
    """Neither an id nor `--all`: nothing is guessed."""
    done = run_dam(settings, "jobs", "retry")
    assert done.returncode == 2
    assert "--all" in done.stderr


async def test_the_depth_is_shown(bench: Bench) -> None:
    """What waits, and what is parked."""
    await upload(bench.store, b"lost")
    run_dam(bench.settings, "reconcile", "--min-age", "0")
    depth = json.loads(run_dam(bench.settings, "jobs", "depth", "--json").stdout)
    assert depth == {"ready": 1, "in_flight": 0, "delayed": 0, "dead": 0, "parked": 0}
    assert "parked" in run_dam(bench.settings, "jobs", "depth").stdout


def test_a_queue_out_of_reach_is_told_in_a_sentence(settings: MaintenanceSettings) -> None:
    """No traceback: what could not be reached, and status 1."""
    done = run_dam(settings, "jobs", "depth", DAM_QUEUE_URL="amqp://guest:secret@127.0.0.1:1/")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
