"""Several processes on one queue, and the death of one of them."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.queue.opening import gets_nothing, take

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from dam.queue import JobQueue


@asynccontextmanager
async def consumer(url: str, prefetch: int, mode: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.queue.consumer", url, str(prefetch), mode),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines(process: Process, count: int) -> list[str]:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return [(await process.stdout.readline()).decode().strip() for _ in range(count)]


async def drained(queue: JobQueue) -> None:
    for _ in range(600):
        depth = await queue.depth()
        if not depth.ready and not depth.in_flight:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("The jobs were not consumed within 30 s.")


async def test_a_killed_consumers_jobs_are_delivered_again_with_redeliveries_raised(
    queue: JobQueue, queue_url: str
) -> None:
    """`kill -9` twice: each time the job comes back, counted, and its attempts stay."""
    await queue.publish(b"poison")
    for deaths in range(2):
        async with consumer(queue_url, 1, "hold") as process:
            assert await lines(process, 1) == [f"poison {deaths}"]
            process.send_signal(signal.SIGKILL)
            await process.wait()
    async with queue.consume(1) as jobs:
        job = await take(jobs)
        assert (job.body, job.attempts, job.redeliveries) == (b"poison", 0, 2)
        # The count survives a retry and a release, which publish anew on a broker.
        await job.retry(1)
        job = await take(jobs)
        assert (job.attempts, job.redeliveries) == (1, 2)
        await job.release()
        job = await take(jobs)
        assert (job.attempts, job.redeliveries) == (1, 2)
        await job.ack()


async def test_a_job_that_is_held_is_nobody_elses_however_long(queue: JobQueue, queue_url: str) -> None:
    """A slow but living consumer keeps its job far beyond the time in which a dead one would lose it."""
    await queue.publish(b"slow")
    async with consumer(queue_url, 1, "hold") as process:
        assert await lines(process, 1) == ["slow 0"]
        async with queue.consume(1) as jobs:
            assert await gets_nothing(jobs, 4)


async def test_two_processes_never_share_a_delivery(queue: JobQueue, queue_url: str) -> None:
    """Three hundred jobs, two processes: each job is delivered exactly once, and both get some."""
    names, warm_up = [f"job-{number}" for number in range(300)], [f"early-{number}" for number in range(12)]
    async with consumer(queue_url, 8, "ack") as one, consumer(queue_url, 8, "ack") as two:
        # Both are awake before the crowd comes: on a busy machine one may start a second after the other.
        for name in warm_up:
            await queue.publish(name.encode())
        await drained(queue)
        await asyncio.gather(*(queue.publish(name.encode()) for name in names))
        await drained(queue)
        await asyncio.sleep(1)  # a broker does not say what others still hold
        one.kill()
        two.kill()
        first, second = [
            [line.split()[0] for line in (await process.communicate())[0].decode().splitlines()]
            for process in (one, two)
        ]
    assert sorted([*first, *second]) == sorted([*names, *warm_up])
    assert first
    assert second


async def test_a_published_job_outlives_its_publisher(queue: JobQueue, queue_url: str) -> None:
    """A process that publishes and is gone the next moment, without closing, has published."""
    code = (
        "import asyncio, os, sys\n"
        "from tests.queue.opening import open_at\n"
        "async def main():\n"
        "    queue = await open_at(sys.argv[1])\n"
        "    await queue.publish(b'last words')\n"
        "    os._exit(0)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, queue_url)
    assert await process.wait() == 0
    async with queue.consume(1) as jobs:
        job = await take(jobs)
        assert (job.body, job.redeliveries) == (b"last words", 0)
        await job.ack()
