"""What every job needs is down: the intake stops, gives back what it holds, and resumes by itself."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dam.errors import CatalogueUnavailableError
from tests.orchestrator.rig import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dam.catalogue.changes import Change, Outcome
    from dam.jobs import EnrichJob
    from tests.orchestrator.rig import Rig


async def upload(rig: Rig, count: int = 6) -> list[EnrichJob]:
    return [await rig.upload(draw(number)) for number in range(count)]


async def statuses(rig: Rig, jobs: list[EnrichJob]) -> list[tuple[str, int | None]]:
    """Status and attempts of each."""
    rows = await rig.catalogue.current([job.asset_id for job in jobs])
    return [(rows[job.asset_id].status, rows[job.asset_id].attempts) for job in jobs]


def go_unready(rig: Rig) -> None:
    """As it says while it loads its models."""
    rig.bento.answer_as, rig.bento.ready = "503", False


def fail(rig: Rig) -> None:
    rig.bento.answer_as, rig.bento.ready = "500", False


def hang(rig: Rig) -> None:
    rig.bento.answer_as, rig.bento.ready = "hang", False


def be_another_server(rig: Rig) -> None:
    """A web server that is not ours answers 200 to everything."""
    rig.bento.answer_as = "no_json"


def want_credentials(rig: Rig) -> None:
    rig.bento.answer_as = "401"


def redirect(rig: Rig) -> None:
    rig.bento.answer_as = "302"


@pytest.mark.parametrize("go_down", [go_unready, fail, hang, be_another_server, want_credentials, redirect])
async def test_a_bento_that_is_of_no_use_pauses_the_intake(rig: Rig, go_down: Callable[[Rig], None]) -> None:
    """Nothing is held meanwhile, no job is blamed, and all are done once it is back."""
    rig.bento.delay_s = 0.1
    jobs = await upload(rig)
    async with rig.orchestrator(bento_timeout_s=0.4):
        await rig.until(lambda: rig.bento.in_flight > 0)
        go_down(rig)
        await rig.paused()
        reason = rig.gates[0].reason
        rig.bento.answer_as, rig.bento.ready = "ok", True
        await rig.settled()
    assert "Bento" in reason or rig.bento.url in reason
    assert await statuses(rig, jobs) == [("ready", 1)] * 6
    assert rig.queue.delays_s == []


async def test_a_bento_that_refuses_connections_pauses_the_intake(rig: Rig) -> None:
    """Down at the start and again in the middle of the work: every picture is done in the end."""
    await rig.bento.stop()
    jobs = await upload(rig)
    async with rig.orchestrator():
        await rig.until(lambda: "does not answer" in rig.gates[0].reason)
        assert rig.queue.jobs.qsize() == 6  # nothing was taken
        rig.bento.delay_s = 60  # none can be answered before it goes down
        await rig.bento.start()
        await rig.until(lambda: rig.bento.in_flight > 0)
        await rig.bento.stop()
        await rig.paused()
        rig.bento.delay_s = 0
        await rig.bento.start()
        await rig.settled()
    assert await statuses(rig, jobs) == [("ready", 1)] * 6


async def test_broken_connections_blame_nobody_while_many_are_in_flight(rig: Rig) -> None:
    """One of many may have crashed it, so all are given back, uncounted, and done when it works again."""
    rig.bento.answer_as = "drop"
    jobs = await upload(rig)
    async with rig.orchestrator():
        await rig.until(lambda: rig.bento.asked.total() >= 6)
        rig.bento.answer_as = "ok"
        await rig.settled()
    assert await statuses(rig, jobs) == [("ready", 1)] * 6
    assert rig.queue.delays_s == []


async def test_overload_is_waited_out(rig: Rig) -> None:
    """429 with Retry-After is asked again after it, by the same orchestrator, without an ending."""
    rig.bento.busy_answers = 5
    [job] = await upload(rig, 1)
    async with rig.orchestrator(bento_patience_s=10):
        row = await rig.row(job)
    assert (row.status, row.attempts) == ("ready", 1)
    assert rig.bento.asked.total() == 7
    assert rig.metrics.endings.labels("acknowledge")._value.get() == 1


async def test_overload_beyond_patience_gives_the_job_back(rig: Rig) -> None:
    """It costs no attempt; the intake goes on, since a busy Bento is not down."""
    rig.bento.answer_as = "busy"
    [job] = await upload(rig, 1)
    async with rig.orchestrator(bento_patience_s=0.05):
        await rig.until(lambda: rig.metrics.endings.labels("release")._value.get() > 0)
        assert rig.gates[0].is_open
        rig.bento.answer_as = "ok"
        row = await rig.row(job)
    assert (row.status, row.attempts) == ("ready", 1)


async def test_a_store_that_is_down_pauses_the_intake(rig: Rig) -> None:
    """It resumes by itself when the bucket answers."""
    rig.bento.delay_s = 0.2
    jobs = await upload(rig)
    async with rig.orchestrator():
        await rig.until(lambda: rig.bento.in_flight > 0)
        rig.store.down = "The bucket does not answer."
        await rig.paused()
        await rig.until(lambda: rig.gates[0].reason == "The bucket does not answer.")
        rig.store.down = None
        await rig.settled()
    assert await statuses(rig, jobs) == [("ready", 1)] * 6


async def test_a_single_key_that_cannot_be_written_is_the_jobs_own_failure(rig: Rig) -> None:
    """While the bucket answers, the intake goes on, and the job is tried again."""
    rig.store.lost_puts.extend([None, "before"])  # its original arrives, one of its thumbnails does not
    [job] = await upload(rig, 1)
    async with rig.orchestrator():
        row = await rig.row(job)
        assert rig.gates[0].is_open
    assert (row.status, row.attempts) == ("ready", 2)


async def test_a_queue_that_is_down_costs_no_second_inference(rig: Rig) -> None:
    """Rows are written although nothing can be acknowledged; what comes back then is only acknowledged."""
    rig.bento.delay_s = 0.2
    jobs = await upload(rig)
    async with rig.orchestrator():
        await rig.until(lambda: rig.bento.in_flight > 0)
        rig.queue.down = "The broker restarts."
        await asyncio.gather(*(rig.row(job) for job in jobs))
        await rig.until(lambda: not rig.queue.held)
        rig.queue.down = None
        await rig.settled()
    assert await statuses(rig, jobs) == [("ready", 1)] * 6
    assert set(rig.bento.asked.values()) == {1}


async def test_a_catalogue_that_is_down_loses_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short outage is waited out with the results in hand; a longer one gives the jobs back, unblamed."""
    tries = 0
    commit = rig.catalogue.commit

    async def commit_later(changes: Sequence[Change]) -> list[Outcome]:
        nonlocal tries
        tries += 1
        if tries <= 9:  # two jobs try four times each
            raise CatalogueUnavailableError("The table does not answer.")
        return await commit(changes)

    monkeypatch.setattr(rig.catalogue, "commit", commit_later)
    monkeypatch.setattr("orchestrator.committing._FIRST_PAUSE_S", 0.01)
    jobs = await upload(rig, 2)
    async with rig.orchestrator():
        await rig.settled()
    assert await statuses(rig, jobs) == [("ready", 1)] * 2
    assert set(rig.bento.asked.values()) == {2}
    assert rig.metrics.endings.labels("release")._value.get() >= 2


async def test_pauses_grow_while_an_outage_lasts(rig: Rig) -> None:
    """A Bento that says it is ready and then fails everybody is not hammered."""
    rig.bento.answer_as = "no_json"
    await upload(rig, 1)
    async with rig.orchestrator():
        await rig.until(lambda: rig.gates[0]._pause_s == 0.1)  # the rig's longest
        asked, started = rig.bento.asked.total(), time.monotonic()
        await asyncio.sleep(0.5)
        pauses = (time.monotonic() - started) / 0.1
        assert rig.bento.asked.total() - asked <= 2 * (pauses + 1)
        rig.bento.answer_as = "ok"
        await rig.settled()
        await rig.until(lambda: rig.gates[0]._pause_s == 0.0)  # a job that went through ends the outage
