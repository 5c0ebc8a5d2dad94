"""A graceful stop: nothing new is taken, what is in hand ends within the deadline, the rest is given back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.orchestrator.rig import draw

if TYPE_CHECKING:
    import pytest

    from tests.orchestrator.rig import Rig


async def test_what_is_in_hand_is_finished_and_nothing_new_taken(rig: Rig) -> None:
    """Two of five were in hand: two rows, three jobs still queued as they were."""
    rig.bento.delay_s = 0.2
    jobs = [await rig.upload(draw(number)) for number in range(5)]
    async with rig.orchestrator(prefetch=2) as stop:
        await rig.until(lambda: rig.bento.in_flight == 4)
        stop.set()
    rows = await rig.catalogue.current([job.asset_id for job in jobs])
    assert len(rows) == 2
    assert not rig.queue.held
    left = [rig.queue.jobs.get_nowait() for _ in range(rig.queue.jobs.qsize())]
    assert [(message.attempts, message.redeliveries) for message in left] == [(0, 0)] * 3


async def test_what_cannot_finish_is_given_back_at_the_deadline(rig: Rig) -> None:
    """A Bento that hangs does not hold the stop up; the jobs return unblamed."""
    rig.bento.answer_as = "hang"
    for number in range(3):
        await rig.upload(draw(number))
    async with rig.orchestrator(drain_s=0.3) as stop:
        await rig.until(lambda: rig.bento.in_flight == 6)
        stop.set()
        started = time.monotonic()
    assert 0.25 < time.monotonic() - started < 3
    assert not rig.queue.held
    left = [rig.queue.jobs.get_nowait() for _ in range(rig.queue.jobs.qsize())]
    assert [(message.attempts, message.redeliveries) for message in left] == [(0, 0)] * 3


async def test_a_stop_in_the_middle_of_an_outage_is_immediate(rig: Rig) -> None:
    """Nothing is in hand, so there is nothing to wait for."""
    await rig.bento.stop()
    await rig.upload(draw(1))
    async with rig.orchestrator(drain_s=60) as stop:
        await rig.until(lambda: "does not answer" in rig.gates[0].reason)
        stop.set()
        started = time.monotonic()
    assert time.monotonic() - started < 3
    assert rig.queue.jobs.qsize() == 1


async def test_the_stop_has_its_deadline_even_where_an_outage_came_first(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that cannot be written while the intake is paused do not hold up the stop for good."""

    async def never(*_: object) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(rig.catalogue, "commit", never)
    monkeypatch.setattr("orchestrator.consuming._LAST_WORDS_S", 0.2)
    rig.bento.faults[draw(2)] = "no_json"
    await rig.upload(draw(1))
    async with rig.orchestrator(drain_s=0.2, commit_linger_s=0) as stop:
        await rig.until(lambda: rig.bento.asked.total() == 2 and not rig.bento.in_flight)
        await asyncio.sleep(0.1)  # its row is being written now
        await rig.upload(draw(2))
        await rig.until(lambda: not rig.gates[0].is_open)
        stop.set()
        started = time.monotonic()
    assert time.monotonic() - started < 3


async def test_a_stop_before_anything_was_taken_ends_at_once(rig: Rig) -> None:
    """An idle orchestrator has nothing to drain."""
    async with rig.orchestrator(drain_s=60) as stop:
        await rig.until(lambda: rig.gates[0].is_open)
        stop.set()
        started = time.monotonic()
    assert time.monotonic() - started < 3
