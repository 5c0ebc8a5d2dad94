"""A lane in trouble: failing items and models, too much work, and its end."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bentos.batching import Lane, OverloadedError
from tests.bentos.lanes import Gate, Notes, ask, limits, running, wait_until_waiting


async def test_failing_item_fails_alone() -> None:
    """A batch with an item that the model cannot take is run item by item: only the culprit is told."""
    gate = Gate(is_open=False)
    async with running(gate.infer) as lane:
        first = asyncio.create_task(ask(lane, 0))
        await gate.wait_until_entered()
        rest = [asyncio.create_task(ask(lane, item)) for item in (1, None, 3)]
        await wait_until_waiting(lane, 3)
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
