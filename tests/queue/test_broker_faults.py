"""The broker dies, stops, freezes, runs out of memory: nothing is lost, nobody waits for good."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from dam.errors import QueueUnavailableError
from dam.queue import QueueDepth
from dam.queue.amqp import AmqpQueue
from tests.queue.opening import gets_nothing, take

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.services.rabbitmq import RabbitMq

PUBLISH_BOUND_S = 13.0
"""The promise is ten seconds; a busy machine gets some more."""


@pytest.fixture
async def queue(rabbitmq: RabbitMq) -> AsyncIterator[AmqpQueue]:
    opened = await AmqpQueue.connect(rabbitmq.new_vhost())
    yield opened
    await opened.close()


@asynccontextmanager
async def app_stopped(rabbitmq: RabbitMq) -> AsyncIterator[None]:
    await asyncio.to_thread(rabbitmq.stop_app)
    try:
        yield
    finally:
        await asyncio.to_thread(rabbitmq.start_app)


@pytest.fixture
def frozen(rabbitmq: RabbitMq) -> Iterator[RabbitMq]:
    """Thawed whatever happens: the next test needs it."""
    yield rabbitmq
    rabbitmq.resume()


async def test_jobs_and_consumer_outlive_a_killed_broker(rabbitmq: RabbitMq, queue: AmqpQueue) -> None:
    """`kill -9` of the broker while jobs wait and one is held: all come, the held one again and counted."""
    for number in range(20):
        await queue.publish(b"%d" % number)
    async with queue.consume(4) as jobs:
        held = await take(jobs)
        rabbitmq.kill()
        await asyncio.to_thread(rabbitmq.restart)
        with pytest.raises(QueueUnavailableError, match="delivered again"):
            await held.retry(1)
        with pytest.raises(QueueUnavailableError):
            await held.ack()
        seen = {}
        for _ in range(20):
            job = await take(jobs, 60)
            seen[job.body] = job.redeliveries
            await job.ack()
        assert await gets_nothing(jobs)
    assert set(seen) == {b"%d" % number for number in range(20)}
    assert seen[held.body] == 1
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 0)


async def test_publishing_fails_in_bounded_time_while_the_broker_is_down(
    rabbitmq: RabbitMq, queue: AmqpQueue
) -> None:
    """Down: a clear error soon. Up again: the next publish works, and the consumer has found back itself."""
    async with queue.consume(1) as jobs:
        await queue.publish(b"before")
        await (await take(jobs)).ack()
        async with app_stopped(rabbitmq):
            began = time.monotonic()
            with pytest.raises(QueueUnavailableError, match=r"127\.0\.0\.1"):
                await queue.publish(b"during")
            with pytest.raises(QueueUnavailableError):
                await queue.ping()
            with pytest.raises(QueueUnavailableError):
                await queue.depth()
            assert time.monotonic() - began < PUBLISH_BOUND_S
        await queue.publish(b"after")
        job = await take(jobs, 30)
        assert job.body == b"after"
        await job.ack()


async def test_a_frozen_broker_blocks_nobody_for_good(frozen: RabbitMq, queue: AmqpQueue) -> None:
    """A broker that holds its connections and never answers: bounded errors, then it goes on."""
    frozen.pause()
    began = time.monotonic()
    outcomes = await asyncio.gather(
        *(queue.publish(b"%d" % number) for number in range(20)), return_exceptions=True
    )
    assert all(isinstance(outcome, QueueUnavailableError) for outcome in outcomes)
    assert time.monotonic() - began < PUBLISH_BOUND_S
    began = time.monotonic()
    with pytest.raises(QueueUnavailableError, match="no answer in time"):
        await queue.ping()
    assert time.monotonic() - began < 7
    began = time.monotonic()
    with pytest.raises(QueueUnavailableError, match="no answer in time"):
        await AmqpQueue.connect(frozen.url)
    assert time.monotonic() - began < PUBLISH_BOUND_S
    frozen.resume()
    await queue.publish(b"thawed")
    await queue.ping()


async def test_a_broker_out_of_memory_takes_acknowledgements_but_no_jobs(
    rabbitmq: RabbitMq, queue: AmqpQueue
) -> None:
    """Publishers are told in bounded time; consumers work on, so that the broker can recover."""
    for number in range(3):
        await queue.publish(b"%d" % number)
    await asyncio.to_thread(rabbitmq.raise_memory_alarm)
    try:
        async with queue.consume(1) as jobs:
            began = time.monotonic()
            with pytest.raises(QueueUnavailableError, match="no answer in time"):
                await queue.publish(b"too much")
            assert time.monotonic() - began < PUBLISH_BOUND_S
            for _ in range(3):
                await (await take(jobs)).ack()
            assert (await queue.depth()).ready == 0
    finally:
        await asyncio.to_thread(rabbitmq.clear_memory_alarm)
    await queue.publish(b"again")


async def test_a_broker_that_refuses_a_full_queue_is_an_error_not_a_loss(
    rabbitmq: RabbitMq, queue: AmqpQueue
) -> None:
    """A queue over its limit rejects the publish, and the publisher hears of it."""
    vhost = queue.url.rpartition("/")[2]
    limit = '{"max-length": 1}'
    await asyncio.to_thread(rabbitmq.ctl, "set_policy", "-p", vhost, "limit", "^dam.jobs$", limit)
    with pytest.raises(QueueUnavailableError, match="over its limit"):  # noqa: PT012 - it takes a few to fill
        for _ in range(200):
            await queue.publish(b"one more")
    async with queue.consume(1) as jobs:
        await (await take(jobs)).ack()
