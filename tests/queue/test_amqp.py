"""What only a broker can do: lose its queues, have strange ones, or carry strangers' messages."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aio_pika
import pytest

from dam.errors import QueueUnavailableError
from dam.queue import QueueDepth
from dam.queue.amqp import AmqpQueue, intake, outlet, topology
from dam.queue.amqp.delivery import read_headers
from dam.queue.amqp.link import Link, parse_url
from tests.queue.opening import gets_nothing, take

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aio_pika.abc import AbstractChannel

    from tests.services.rabbitmq import RabbitMq


@pytest.fixture
def url(rabbitmq: RabbitMq) -> str:
    return rabbitmq.new_vhost()


@pytest.fixture
async def queue(url: str) -> AsyncIterator[AmqpQueue]:
    opened = await AmqpQueue.connect(url)
    yield opened
    await opened.close()


@asynccontextmanager
async def stranger(url: str) -> AsyncIterator[AbstractChannel]:
    """A channel of somebody else."""
    async with await aio_pika.connect(url) as connection:
        yield await connection.channel()


async def test_queues_are_quorum_queues_that_lose_nothing(url: str, queue: AmqpQueue) -> None:
    """Sixty rejections later a job is still there, and has been counted."""
    await queue.publish(b"hot")
    async with stranger(url) as channel:
        jobs = await channel.get_queue(topology.JOBS, ensure=False)
        for _ in range(60):
            message = await jobs.get(timeout=5, fail=True)
            await message.nack(requeue=True)
    async with queue.consume(1) as deliveries:
        job = await take(deliveries)
        assert (job.body, job.redeliveries) == (b"hot", 60)
        await job.ack()


async def test_a_deleted_queue_is_made_again_under_its_consumer(url: str, queue: AmqpQueue) -> None:
    """The consumer goes on by itself; a job that was held when the queue went is moved to safety."""
    await queue.publish(b"held")
    async with queue.consume(2) as jobs:
        held = await take(jobs)
        async with stranger(url) as channel:
            await channel.queue_delete(topology.JOBS)
        await queue.publish(b"new")
        job = await take(jobs)
        assert job.body == b"new"
        await held.release()
        again = await take(jobs)
        assert again.body == b"held"
        await job.ack()
        await again.ack()


async def test_a_consumer_that_its_broker_forgot_is_made_anew(
    url: str, queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its queue was deleted and made again at once: the broker counts it, and delivers it nothing."""
    monkeypatch.setattr(intake, "RENEW_S", 2.0)
    monkeypatch.setattr(outlet, "DECLARE_AGAIN_AFTER_S", 0.0)
    async with queue.consume(2) as jobs:
        await queue.publish(b"first")
        await (await take(jobs)).ack()
        async with stranger(url) as channel:
            await channel.queue_delete(topology.JOBS)
            await queue.publish(b"second")
        job = await take(jobs)
        assert job.body == b"second"
        await job.ack()


async def test_renewing_a_silent_consumer_loses_and_doubles_nothing(
    queue: AmqpQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewed again and again while jobs come now and then: each comes once, and no channel is left."""
    monkeypatch.setattr(intake, "RENEW_S", 0.01)
    async with queue.consume(2) as jobs:
        for number in range(40):
            await asyncio.sleep(0.007 * (number % 3))
            await queue.publish(b"%d" % number)
            job = await take(jobs)
            assert job.body == b"%d" % number
            await job.ack()
        (one,) = queue._intakes
        assert one._earlier == []
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 0)


async def test_a_deleted_queue_is_made_again_for_publishers(url: str, queue: AmqpQueue) -> None:
    """Everything was deleted: fifty publishers at once all succeed, and retries find their delay queue."""
    async with stranger(url) as channel:
        for name in topology.NAMES:
            await channel.queue_delete(name)
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 0)
    await asyncio.gather(*(queue.publish(b"%d" % number) for number in range(50)))
    async with stranger(url) as channel:
        await channel.queue_delete(topology.delay_queue(topology.JOBS, 1))
    async with queue.consume(1) as jobs:
        await (await take(jobs)).retry(1)
    async with asyncio.timeout(10):
        while (depth := await queue.depth()).ready + depth.delayed != 50:
            pass


async def test_a_missing_queue_is_made_again_by_a_ping(url: str, queue: AmqpQueue) -> None:
    """A ping that finds the queue deleted heals it rather than complain."""
    async with stranger(url) as channel:
        await channel.queue_delete(topology.JOBS)
    await queue.ping()
    async with stranger(url) as channel:
        assert await channel.get_queue(topology.JOBS)


async def test_without_quorum_queues_classic_ones_do(url: str) -> None:
    """A broker that has the queues as classic ones refuses quorum arguments: the whole life still works."""
    async with stranger(url) as channel:
        for name, arguments in topology.arguments().items():
            await channel.declare_queue(name, durable=True, arguments=arguments)
    queue = await AmqpQueue.connect(url)
    try:
        await queue.publish(b"classic")
        async with queue.consume(1) as jobs:
            await (await take(jobs)).retry(1)
            job = await take(jobs)
            assert (job.attempts, job.redeliveries) == (1, 0)
        async with stranger(url) as channel:
            await job.release()
            message = await (await channel.get_queue(topology.JOBS)).get(timeout=5, fail=True)
            await message.nack(requeue=True)
        async with queue.consume(1) as jobs:
            job = await take(jobs)
            assert (job.attempts, job.redeliveries) == (1, 1)
            await job.dead_letter("x", "y")
        assert await queue.depth() == QueueDepth(0, 0, 0, 1, 0)
    finally:
        await queue.close()


async def test_a_strangers_queue_under_our_name_is_refused_by_name(url: str) -> None:
    """A queue that could lose jobs is not used silently."""
    async with stranger(url) as channel:
        await channel.declare_queue(topology.DEAD, durable=True, arguments={"x-max-length": 5})
    with pytest.raises(QueueUnavailableError, match=r"queue dam\.dead that is none of ours.*Delete it"):
        await AmqpQueue.connect(url)


async def test_a_message_published_by_hand_is_a_job_too(url: str, queue: AmqpQueue) -> None:
    """No headers, or headers of strange types, read as a fresh job."""
    async with stranger(url) as channel:
        for headers in ({}, {"dam-attempts": "many", "dam-redeliveries": [1], "dam-reason": 5}):
            message = aio_pika.Message(b"by hand", headers=headers)  # type: ignore[arg-type]  # on purpose
            await channel.default_exchange.publish(message, topology.JOBS)
    async with queue.consume(1) as jobs:
        for _ in range(2):
            job = await take(jobs)
            assert (job.body, job.attempts, job.redeliveries) == (b"by hand", 0, 0)
            await job.ack()


async def test_what_the_broker_dead_letters_has_a_reason_too(url: str, queue: AmqpQueue) -> None:
    """A job rejected by somebody else's consumer is found among the dead."""
    await queue.publish(b"rejected")
    async with queue.consume(1) as jobs:
        await (await take(jobs)).retry(1)  # its way through a delay queue is no reason
    async with stranger(url) as channel:
        source = await channel.get_queue(topology.JOBS)
        async with asyncio.timeout(10):
            while not (message := await source.get(fail=False)):  # noqa: ASYNC110 - a broker is asked
                await asyncio.sleep(0.1)
        await message.reject(requeue=False)
    async with queue.consume_dead(1) as dead:
        letter = await take(dead)
        assert (letter.body, letter.attempts) == (b"rejected", 1)
        assert letter.reason == "dead_lettered: The broker gave the job up: rejected."
        await letter.release(30)
        assert await gets_nothing(dead, 0.3)
    assert (await queue.depth()).dead == 1


def test_newer_brokers_count_returned_messages_under_another_name() -> None:
    """RabbitMQ 4.3 counts a dead consumer's deliveries in `x-acquired-count` alone."""
    assert read_headers({"x-acquired-count": 3}, redelivered=True).redeliveries == 3
    assert read_headers({"x-delivery-count": 2, "dam-redeliveries": 4}, redelivered=True).redeliveries == 6
    assert read_headers({}, redelivered=True).redeliveries == 1
    assert read_headers({}, redelivered=False).redeliveries == 0


async def test_many_short_consumers_leave_no_channel_behind(url: str, queue: AmqpQueue) -> None:
    """Channels are closed with their consumer, or with its last held job."""
    for number in range(5):
        await queue.publish(b"%d" % number)
        async with queue.consume(1) as jobs:
            job = await take(jobs)
        await job.ack()
    async with asyncio.timeout(10):
        while queue._intakes:  # noqa: ASYNC110 - it happens in the background
            await asyncio.sleep(0.05)
    connection = await queue._link.connection()
    assert connection.transport is not None
    assert len(connection.transport.connection.channels) == 0
    async with stranger(url) as channel:
        left = await channel.get_queue(topology.JOBS)
        assert left.declaration_result.message_count == 0


async def test_counting_on_a_connection_that_others_drop_is_an_outage_at_most(queue: AmqpQueue) -> None:
    """Whoever finds it silent drops it for all: none of the others meets an error that nobody knows."""
    stop = asyncio.Event()
    counted = refused = 0

    async def count() -> None:
        nonlocal counted, refused
        while not stop.is_set():
            try:
                await queue.depth()
                counted += 1
            except QueueUnavailableError:
                refused += 1

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(count())
        dropped = 0
        while dropped < 30 or not (counted and refused):  # a slow machine opens none within the first pauses
            await asyncio.sleep(0.05 + 0.01 * dropped)
            queue._link.drop()
            dropped += 1
        stop.set()
    assert counted > 0
    assert refused > 0


async def test_a_refused_login_names_the_host_and_not_the_password(url: str) -> None:
    """Wrong credentials are told at once, in words, without the secret."""
    with pytest.raises(QueueUnavailableError, match="password was refused") as caught:
        await AmqpQueue.connect(url.replace("guest:guest", "guest:s3cret"))
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)


async def test_a_missing_vhost_is_told_at_once(rabbitmq: RabbitMq) -> None:
    """The message names the vhost, and says what may be wrong with it."""
    with pytest.raises(QueueUnavailableError, match=r"/nowhere failed: .*no such vhost"):
        await AmqpQueue.connect(rabbitmq.url + "nowhere")


async def test_nobody_listening_is_an_error_at_once() -> None:
    """A refused connection names the host."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(QueueUnavailableError, match=rf"127\.0\.0\.1:{port}"):
        await AmqpQueue.connect(f"amqp://guest:guest@127.0.0.1:{port}/")


async def test_a_server_that_says_nothing_is_an_error_in_bounded_time() -> None:
    """Something listens, but it is no broker: about ten seconds at most."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        with pytest.raises(QueueUnavailableError, match="no answer in time"):
            await AmqpQueue.connect(f"amqp://guest:guest@127.0.0.1:{server.getsockname()[1]}/")
        assert time.monotonic() - began < 13


async def test_a_connection_that_was_given_up_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever thread collects it, and though it was never open: no coroutine that nobody awaits."""
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", left.append)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        link = Link(parse_url(f"amqp://127.0.0.1:{silent.getsockname()[1]}"), "test")
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await link.connection()
            await asyncio.to_thread(gc.collect)
        await link.close()
    assert not left
