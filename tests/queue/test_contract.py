"""What every job queue does, whatever it is made of."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dam.errors import QueueUnavailableError
from dam.queue import QueueDepth
from tests.queue.opening import gets_nothing, open_at, take

if TYPE_CHECKING:
    from dam.queue import JobQueue


async def test_a_published_job_is_delivered_once_and_forgotten_after_its_ack(queue: JobQueue) -> None:
    """Publish, consume, acknowledge: nothing is left."""
    body = b'{"\x00": "\xc3\xa9"}' + bytes(range(256))
    await queue.publish(body)
    async with queue.consume(1) as jobs:
        job = await take(jobs)
        assert (job.body, job.attempts, job.redeliveries, job.reason) == (body, 0, 0, "")
        await job.ack()
        assert await gets_nothing(jobs)
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 0)


async def test_many_publish_at_once_and_every_job_arrives_once(queue: JobQueue) -> None:
    """Concurrent publishers neither lose nor double anything."""
    bodies = {f"job {number}".encode() for number in range(300)}
    await asyncio.gather(*(queue.publish(body) for body in bodies))
    seen = []
    async with queue.consume(32) as jobs:
        for _ in bodies:
            job = await take(jobs)
            seen.append(job.body)
            await job.ack()
        assert await gets_nothing(jobs, 0.3)
    assert sorted(seen) == sorted(bodies)


async def test_a_body_larger_than_a_frame_arrives_whole(queue: JobQueue) -> None:
    """A megabyte passes unchanged."""
    body = bytes(range(256)) * 4096
    await queue.publish(body)
    async with queue.consume(1) as jobs:
        job = await take(jobs)
        assert job.body == body
        await job.ack()


async def test_no_more_than_prefetch_is_held_at_once(queue: JobQueue) -> None:
    """With two held, the third waits until one has ended."""
    for number in range(3):
        await queue.publish(b"%d" % number)
    async with queue.consume(2) as jobs:
        first, second = await take(jobs), await take(jobs)
        assert await gets_nothing(jobs)
        await first.ack()
        third = await take(jobs)
        assert [first.body, second.body, third.body] == [b"0", b"1", b"2"]
        await second.ack()
        await third.ack()


async def test_a_consumer_may_stop_waiting_and_wait_again(queue: JobQueue) -> None:
    """A cancelled wait for the next job breaks nothing and loses nothing."""
    async with queue.consume(4) as jobs:
        for _ in range(3):
            assert await gets_nothing(jobs, 0.05)
        await queue.publish(b"late")
        job = await take(jobs)
        assert job.body == b"late"
        await job.ack()


async def test_a_retry_comes_back_after_its_delay_with_one_attempt_more(queue: JobQueue) -> None:
    """Attempts grow by the job's own failures, redeliveries do not."""
    await queue.publish(b"flaky")
    async with queue.consume(1) as jobs:
        await (await take(jobs)).retry(1)
        began = time.monotonic()
        assert (await queue.depth()).delayed == 1
        second = await take(jobs)
        assert 0.8 < time.monotonic() - began < 6
        assert (second.body, second.attempts, second.redeliveries) == (b"flaky", 1, 0)
        await second.retry(1)
        third = await take(jobs)
        assert (third.attempts, third.redeliveries) == (2, 0)
        await third.ack()
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 0)


async def test_a_released_job_comes_back_as_it_was(queue: JobQueue) -> None:
    """Giving back, now or later, counts neither as an attempt nor as a redelivery."""
    await queue.publish(b"early")
    async with queue.consume(1) as jobs:
        for _ in range(4):
            job = await take(jobs)
            assert (job.attempts, job.redeliveries) == (0, 0)
            await job.release()
        await (await take(jobs)).release(1)
        began = time.monotonic()
        job = await take(jobs)
        assert time.monotonic() - began > 0.8
        assert (job.attempts, job.redeliveries) == (0, 0)
        await job.ack()


async def test_a_dead_letter_keeps_its_body_attempts_and_reason(queue: JobQueue) -> None:
    """What failed for good is found among the dead, and only there."""
    await queue.publish(b"broken")
    async with queue.consume(1) as jobs:
        await (await take(jobs)).retry(1)
        await (await take(jobs)).dead_letter("truncated", "The picture é ends early. " + "x" * 5000)
        assert await gets_nothing(jobs, 0.3)
    assert await queue.depth() == QueueDepth(0, 0, 0, 1, 0)
    async with queue.consume_dead(1) as dead:
        letter = await take(dead)
        assert (letter.body, letter.attempts) == (b"broken", 1)
        assert letter.reason.startswith("truncated: The picture é ends early. xxx")
        reason = letter.reason
        await letter.release()
        again = await take(dead)
        assert (again.reason, again.attempts, again.redeliveries) == (reason, 1, 0)
        await again.ack()
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 0)


async def test_a_parked_dead_letter_leaves_the_dead_and_is_kept(queue: JobQueue) -> None:
    """A letter that names no asset is not offered again, but not thrown away either."""
    await queue.publish(b"nonsense")
    async with queue.consume(1) as jobs:
        await (await take(jobs)).dead_letter("malformed", "Not JSON.")
    async with queue.consume_dead(1) as dead:
        await (await take(dead)).park("malformed", "It names no asset.")
        assert await gets_nothing(dead, 0.3)
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 1)


async def test_depth_says_how_many_are_where(queue: JobQueue) -> None:
    """Waiting, held, delayed and dead are counted apart."""
    for number in range(6):
        await queue.publish(b"%d" % number)
    async with queue.consume(3) as jobs:
        held = [await take(jobs) for _ in range(3)]
        assert await queue.depth() == QueueDepth(3, 3, 0, 0, 0)
        await held[0].retry(30)
        await held[1].dead_letter("x", "y")
        # Two of those that waited take the places of the ended ones.
        others = [await take(jobs) for _ in range(2)]
        assert await queue.depth() == QueueDepth(1, 3, 1, 1, 0)
        for job in (held[2], *others):
            await job.ack()
        await (await take(jobs)).ack()
        assert await queue.depth() == QueueDepth(0, 0, 1, 1, 0)


async def test_leaving_gives_back_what_was_not_handed_out_and_held_jobs_may_end(
    queue: JobQueue,
) -> None:
    """After the intake stops, a held job ends as usual; the others wait for the next consumer, uncounted."""
    for number in range(5):
        await queue.publish(b"%d" % number)
    async with queue.consume(4) as jobs:
        held = await take(jobs)
        await asyncio.sleep(0.3)
    waiting = asyncio.ensure_future(anext(jobs))
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 5)
    await held.ack()
    async with queue.consume(8) as jobs:
        rest = [await take(jobs) for _ in range(4)]
        assert {job.body for job in rest} == {b"1", b"2", b"3", b"4"}
        assert [job.redeliveries for job in rest] == [0, 0, 0, 0]
        for job in rest:
            await job.ack()
        assert await gets_nothing(jobs, 0.3)


async def test_a_waiting_consumer_ends_with_its_context(queue: JobQueue) -> None:
    """Whoever waits for a job when the context is left is told that there will be none."""
    context = queue.consume(1)
    jobs = await context.__aenter__()
    waiting = asyncio.ensure_future(anext(jobs))
    await asyncio.sleep(0.1)
    await context.__aexit__(None, None, None)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 5)


async def test_a_delivery_has_one_ending(queue: JobQueue) -> None:
    """A second ending is a bug, and says so."""
    await queue.publish(b"once")
    async with queue.consume(1) as jobs:
        job = await take(jobs)
        await job.ack()
        with pytest.raises(RuntimeError, match="exactly one ending"):
            await job.retry(1)
    assert await queue.depth() == QueueDepth(0, 0, 0, 0, 0)


async def test_closing_gives_back_what_is_held(queue: JobQueue, queue_url: str) -> None:
    """A stop in good order costs a job nothing: the next process gets it at once, uncounted."""
    await queue.publish(b"held")
    other = await open_at(queue_url)
    async with other.consume(1) as jobs:
        job = await take(jobs)
    await other.close()
    with pytest.raises(QueueUnavailableError):
        await job.ack()
    with pytest.raises(QueueUnavailableError):
        await other.publish(b"too late")
    async with queue.consume(1) as jobs:
        again = await take(jobs)
        assert (again.body, again.attempts, again.redeliveries) == (b"held", 0, 0)
        await again.ack()


async def test_ping_answers_and_the_url_holds_no_password(queue: JobQueue, queue_url: str) -> None:
    """A healthy queue answers a ping; its URL is fit for a log."""
    await queue.ping()
    assert "guest" not in queue.url
    assert queue.url.partition("://")[0] == queue_url.partition("://")[0]
