"""A lane by itself, with a model that is a function: what waits, what runs together, who is told what."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bentos.batching import Lane, Limits, OverloadedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence


class Notes:
    """A recorder that keeps what it is told."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.waits: list[float] = []
        self.depths: list[int] = []

    def batch(self, _lane: str, size: int, _seconds: float) -> None:
        """One batch has run."""
        self.sizes.append(size)

    def waited(self, _lane: str, seconds: float) -> None:
        """One item has waited."""
        self.waits.append(seconds)

    def depth(self, _lane: str, items: int) -> None:
        """So many wait now."""
        self.depths.append(items)


class Gate:
    """A model that answers `item * 2`, once it is let through, and fails on `None`."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.door = threading.Event()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[Any]] = []
        if is_open:
            self.door.set()

    def infer(self, items: Sequence[Any]) -> list[Any]:
        """One batch."""
        self.batches.append(list(items))
        self.entered.release()
        assert self.door.wait(10)
        return [item * 2 for item in items]

    async def wait_until_entered(self) -> None:
        """Return once a batch has begun."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=10)


def limits(**changes: Any) -> Limits:
    """Bounds that no test reaches unless it says so."""
    usual: dict[str, Any] = {"max_batch": 8, "max_wait_s": 5, "max_requests": 1000, "queue_timeout_s": 60}
    return Limits(**{**usual, **changes})


@asynccontextmanager
async def running(
    infer: Callable[[Sequence[Any]], Sequence[Any]], notes: Notes | None = None, **changes: Any
) -> AsyncIterator[Lane[Any, Any]]:
    """A lane that serves until the test is over, and then has nothing left."""
    with ThreadPoolExecutor(1) as worker, ThreadPoolExecutor(4) as preparers:
        lane = Lane[Any, Any](
            "lane", infer, limits(**changes), worker=worker, preparers=preparers, recorder=notes or Notes()
        )
        serving = asyncio.create_task(lane.run())
        yield lane
        lane.close()
        async with asyncio.timeout(10):
            await serving


async def ask(lane: Lane[Any, Any], item: Any) -> Any:
    """One admitted request."""
    with lane.admit():
        return await lane.ask(lambda: item)


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
        while len(lane._waiting) < 5:  # noqa: ASYNC110 - the lane offers no event for it
            await asyncio.sleep(0.001)
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
            while not lane._waiting:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
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


async def test_failing_item_fails_alone() -> None:
    """A batch with an item that the model cannot take is run item by item: only the culprit is told."""
    gate = Gate(is_open=False)
    async with running(gate.infer) as lane:
        first = asyncio.create_task(ask(lane, 0))
        await gate.wait_until_entered()
        rest = [asyncio.create_task(ask(lane, item)) for item in (1, None, 3)]
        while len(lane._waiting) < 3:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        gate.door.set()
        answers = await asyncio.gather(first, *rest, return_exceptions=True)
    assert answers[:2] == [0, 2]
    assert isinstance(answers[2], TypeError)
    assert answers[3] == 6


async def test_failing_preparation_reaches_its_caller() -> None:
    """What cannot be decoded never enters a batch, and its caller gets the very error."""

    def prepare() -> int:
        raise ValueError("not a picture")

    gate = Gate()
    async with running(gate.infer) as lane:
        with lane.admit(), pytest.raises(ValueError, match="not a picture"):
            await lane.ask(prepare)
        assert await ask(lane, 1) == 2
    assert gate.batches == [[1]]


@pytest.mark.parametrize("answers", [[], [1, 2]])
async def test_model_that_miscounts_is_caught(answers: list[int]) -> None:
    """A model that gives more or fewer results than items is an error, never somebody else's answer."""
    async with running(lambda _items: answers) as lane:
        with pytest.raises(RuntimeError, match="results for 1 items"):
            await ask(lane, 1)


async def test_who_has_left_is_skipped() -> None:
    """Items whose callers were cancelled while they waited are never run."""
    gate = Gate(is_open=False)
    async with running(gate.infer) as lane:
        first = asyncio.create_task(ask(lane, 0))
        await gate.wait_until_entered()
        rest = [asyncio.create_task(ask(lane, item)) for item in range(1, 5)]
        while len(lane._waiting) < 4:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        for task in rest[:3]:
            task.cancel()
        await asyncio.gather(*rest[:3], return_exceptions=True)
        gate.door.set()
        assert list(await asyncio.gather(first, rest[3])) == [0, 8]
    assert gate.batches == [[0], [4]]


async def test_full_lane_refuses_before_the_body() -> None:
    """`max_requests` places are all there are: one more is refused at once, a freed one is given again."""
    gate = Gate(is_open=False)
    async with running(gate.infer, max_requests=2) as lane:
        tasks = [asyncio.create_task(ask(lane, item)) for item in (1, 2)]
        await gate.wait_until_entered()
        with pytest.raises(OverloadedError) as refused:
            await ask(lane, 3)
        assert refused.value.retry_after_s >= 1
        assert not refused.value.waited
        gate.door.set()
        await asyncio.gather(*tasks)
        assert await ask(lane, 3) == 6


async def test_who_waited_too_long_is_told() -> None:
    """An item still waiting after `queue_timeout_s` is put off instead of run."""
    gate = Gate(is_open=False)
    async with running(gate.infer, queue_timeout_s=0.05) as lane:
        first = asyncio.create_task(ask(lane, 0))
        await gate.wait_until_entered()
        late = asyncio.create_task(ask(lane, 1))
        await asyncio.sleep(0.2)
        gate.door.set()
        assert await first == 0
        with pytest.raises(OverloadedError) as refused:
            await late
        assert refused.value.waited
    assert gate.batches == [[0]]


async def test_closing_answers_what_was_admitted() -> None:
    """After `close` nobody is admitted, and who was is answered before `run` ends."""
    gate = Gate(is_open=False)
    with ThreadPoolExecutor(1) as worker, ThreadPoolExecutor(1) as preparers:
        lane = Lane[Any, Any](
            "lane", gate.infer, limits(), worker=worker, preparers=preparers, recorder=Notes()
        )
        serving = asyncio.create_task(lane.run())
        tasks = [asyncio.create_task(ask(lane, item)) for item in (1, 2)]
        await gate.wait_until_entered()
        lane.close()
        with pytest.raises(OverloadedError):
            await ask(lane, 3)
        gate.door.set()
        assert await asyncio.gather(*tasks) == [2, 4]
        async with asyncio.timeout(10):
            await serving


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
