"""Jobs that kill what works on them: found out by running alone, and failed without taking others along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.decisions import ALONE_FROM, CRASHED_FROM
from tests.orchestrator.rig import draw, job_for

if TYPE_CHECKING:
    from dam.jobs import EnrichJob
    from tests.orchestrator.rig import Rig


async def upload_lost(rig: Rig, data: bytes, times: int) -> EnrichJob:
    """An upload whose job has lost its worker so often."""
    job = job_for(data)
    await rig.store.put(job.key, data)
    rig.queue.return_lost(job.to_bytes(), times)
    return job


async def test_a_picture_that_crashes_the_bento_fails_alone(rig: Rig) -> None:
    """Its neighbours' connections break with its own; none of them is blamed, and all are done."""
    poison = draw(99)
    rig.bento.faults[poison] = "crash"
    rig.bento.delay_s = 0.05
    guilty = await rig.upload(poison)
    innocent = [await rig.upload(draw(number)) for number in range(7)]
    async with rig.orchestrator(max_attempts=3):
        await rig.settled()
    rows = await rig.catalogue.current([job.asset_id for job in [guilty, *innocent]])
    assert [(rows[job.asset_id].status, rows[job.asset_id].attempts) for job in innocent] == [
        ("ready", 1)
    ] * 7
    failed = rows[guilty.asset_id]
    assert (failed.status, failed.error_code, failed.attempts) == ("failed", "inference_unavailable", 3)
    assert "broke" in (failed.error_message or "")


async def test_a_picture_that_crashed_the_bento_and_recovers_is_ready(rig: Rig) -> None:
    """Suspicion alone fails nobody."""
    data = draw(98)
    rig.bento.faults[data] = "crash"
    async with rig.orchestrator():
        job = await rig.upload(data)
        await rig.until(lambda: rig.bento.asked.total() >= 2 * (ALONE_FROM + 1))
        rig.bento.faults.clear()
        assert (await rig.row(job)).status == "ready"


@pytest.mark.parametrize("times", [ALONE_FROM, CRASHED_FROM - 1])
async def test_a_job_that_lost_its_worker_runs_with_nothing_else_in_hand(rig: Rig, times: int) -> None:
    """The intake waits for what is in hand, runs the suspect, and goes on with the rest."""
    rig.bento.delay_s = 0.1
    suspects = [await upload_lost(rig, draw(number), times) for number in range(2)]
    async with rig.orchestrator():
        for job in suspects:
            assert (await rig.row(job)).status == "ready"
        await rig.settled()
    assert rig.bento.most_in_flight == 2  # caption and embedding of one picture
    async with rig.orchestrator():
        crowd = [await rig.upload(draw(10 + number)) for number in range(6)]
        for job in crowd:
            assert (await rig.row(job)).status == "ready"
    assert rig.bento.most_in_flight > 2


async def test_a_job_that_lost_its_worker_twice_runs_among_the_others(rig: Rig) -> None:
    """A deployment that restarts twice must not serialise the queue."""
    rig.bento.delay_s = 0.2
    for number in range(6):
        await upload_lost(rig, draw(number), ALONE_FROM - 1)
    async with rig.orchestrator():
        await rig.settled()
    assert rig.bento.most_in_flight > 2


async def test_a_job_whose_worker_died_ten_times_becomes_a_failed_row_unworked(rig: Rig) -> None:
    """`crashed_worker`, with the sentence that tells how often; its neighbours are done."""
    data = draw(5)
    job = await upload_lost(rig, data, CRASHED_FROM)
    async with rig.orchestrator():
        other = await rig.upload(draw(6))
        row = await rig.row(job)
        assert (await rig.row(other)).status == "ready"
        await rig.settled()
    assert (row.status, row.error_code, row.r2_key) == ("failed", "crashed_worker", job.key)
    assert "10 times" in (row.error_message or "")
    assert rig.bento.asked["/caption", data] == 0


async def test_a_suspect_is_given_back_when_its_turn_is_a_stop(rig: Rig) -> None:
    """A suspect that waits for the hands to be empty is not lost by a stop: it is worked on or returned."""
    rig.bento.delay_s = 0.3
    busy = await rig.upload(draw(7))
    async with rig.orchestrator() as stop:
        await rig.until(lambda: rig.bento.in_flight > 0)
        suspect = await upload_lost(rig, draw(8), ALONE_FROM)
        await rig.until(lambda: len(rig.queue.held) == 2)
        stop.set()
    assert not rig.queue.held
    done = await rig.catalogue.current([busy.asset_id, suspect.asset_id])
    assert busy.asset_id in done
    assert (suspect.asset_id in done) != (rig.queue.jobs.qsize() == 1)
