"""A lane by itself: what waits, what runs together, and that everybody gets their own answer."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bentos.lanes import Gate, Notes, ask, running, wait_until_waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


async def test_lone_item_runs_at_once() -> None:
    """With nobody else about, the longest wait (5 s here) is not waited at all."""
    notes = Notes()
    async with running(Gate().infer, notes) as lane, asyncio.timeout(2):
        assert await ask(lane, 21) == 42
    assert notes.sizes == [1]
    assert notes.waits[0] < 0.5


@settings(max_examples=25, deadline=None)
@given(items=st.lists(st.integers(), min_size=1, max_size=40), max_batch=st.integers(1, 9))
def test_everybody_gets_their_own_answer(items: list[int], max_batch: int) -> None:
    """Whatever comes, each caller gets the answer to its item, once, and no batch is over the limit."""

    async def serve() -> tuple[list[int], Notes]:
        notes = Notes()
        async with running(Gate().infer, notes, max_batch=max_batch) as lane:
            return list(await asyncio.gather(*(ask(lane, item) for item in items))), notes

    answers, notes = asyncio.run(serve())
    assert answers == [item * 2 for item in items]
    assert sum(notes.sizes) == len(items)
    assert max(notes.sizes) <= max_batch
    assert notes.depths[-1] == 0


async def test_what_waits_runs_together() -> None:
    """While one batch runs, others gather, and then run as one, in their order."""
    gate = Gate(is_open=False)
    async with running(gate.infer) as lane:
        first = asyncio.create_task(ask(lane, 0))
        await gate.wait_until_entered()
        rest = [asyncio.create_task(ask(lane, item)) for item in range(1, 6)]
        await wait_until_waiting(lane, 5)
        gate.door.set()
        assert await asyncio.gather(first, *rest) == [0, 2, 4, 6, 8, 10]
    assert [sorted(batch) for batch in gate.batches] == [[0], [1, 2, 3, 4, 5]]


async def test_company_that_is_being_prepared_is_waited_for() -> None:
    """An item that is ready waits for one that is still decoded, and both run together."""
    slow = threading.Event()
    gate = Gate()
    async with running(gate.infer) as lane:

        def prepare() -> int:
            assert slow.wait(10)
            return 1

        with lane.admit(), lane.admit():
            late = asyncio.create_task(lane.ask(prepare))
            await asyncio.sleep(0)
            early = asyncio.create_task(lane.ask(lambda: 2))
            await wait_until_waiting(lane, 1)
            slow.set()
            assert list(await asyncio.gather(late, early)) == [2, 4]
    assert [sorted(batch) for batch in gate.batches] == [[1, 2]]


async def test_wait_for_company_ends() -> None:
    """Company that takes longer to prepare than `max_wait_s` is not waited for."""
    slow = threading.Event()
    gate = Gate()
    async with running(gate.infer, max_wait_s=0.05) as lane:

        def prepare() -> int:
            assert slow.wait(10)
            return 1

        with lane.admit(), lane.admit():
            late = asyncio.create_task(lane.ask(prepare))
            await asyncio.sleep(0)
            assert await lane.ask(lambda: 2) == 4
            slow.set()
            assert await late == 2
    assert gate.batches == [[2], [1]]


def doubling(seconds: float) -> Callable[[Sequence[int]], list[int]]:
    """A model that takes as long for a batch as for one."""

    def infer(items: Sequence[int]) -> list[int]:
        time.sleep(seconds)
        return [item * 2 for item in items]

    return infer


async def test_callers_that_return_are_batched_together() -> None:
    """Two clients who ask again and again do not take turns: after the first item they share batches."""
    notes = Notes()
    async with running(doubling(0.5), notes) as lane:

        async def client(first_after_s: float) -> None:
            await asyncio.sleep(first_after_s)
            for _ in range(3):
                await ask(lane, 1)

        await asyncio.gather(client(0), client(0.1))
    assert sum(notes.sizes) == 6
    assert 2 in notes.sizes


async def test_lone_caller_after_a_crowd_waits_for_a_moment_only() -> None:
    """Whoever comes right after a crowd waits for its return no longer than a fifth of an item, and once."""
    notes = Notes()
    async with running(doubling(0.2), notes, max_batch=4) as lane:
        await asyncio.gather(*(ask(lane, item) for item in range(8)))
        crowd = len(notes.waits)
        for _ in range(2):
            await ask(lane, 1)
    first, second = notes.waits[crowd:]
    assert first < 0.5  # the longest wait is 5 s here
    assert second < 0.5


async def test_who_has_left_is_skipped() -> None:
    """Items whose callers were cancelled while they waited are never run."""
    gate = Gate(is_open=False)
    async with running(gate.infer) as lane:
        first = asyncio.create_task(ask(lane, 0))
        await gate.wait_until_entered()
        rest = [asyncio.create_task(ask(lane, item)) for item in range(1, 5)]
        await wait_until_waiting(lane, 4)
        for task in rest[:3]:
            task.cancel()
        await asyncio.gather(*rest[:3], return_exceptions=True)
        gate.door.set()
        assert list(await asyncio.gather(first, rest[3])) == [0, 8]
    assert gate.batches == [[0], [4]]


async def test_error_that_nobody_waits_for_is_dropped() -> None:
    """A caller who left while its item ran misses nothing: the lane goes on."""
    gate = Gate(is_open=False)
    async with running(gate.infer) as lane:
        gone = asyncio.create_task(ask(lane, None))
        await gate.wait_until_entered()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        gate.door.set()
        assert await ask(lane, 4) == 8
