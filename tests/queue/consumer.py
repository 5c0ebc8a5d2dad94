"""A consumer as a process of its own: `python -m tests.queue.consumer URL PREFETCH hold|ack`.

It prints one line a delivery and runs until it is killed.
"""

from __future__ import annotations

import asyncio
import sys

from dam import logs
from tests.queue.opening import open_at


async def consume(url: str, prefetch: int, *, ack: bool) -> None:
    """Print what is delivered; acknowledge it, or hold it for ever."""
    queue = await open_at(url)
    async with queue.consume(prefetch) as jobs:
        async for job in jobs:
            print(job.body.decode(), job.redeliveries, flush=True)  # noqa: T201 - its output is the test's
            if ack:
                await asyncio.sleep(0.005)
                await job.ack()


if __name__ == "__main__":
    logs.configure("INFO", json=True)
    asyncio.run(consume(sys.argv[1], int(sys.argv[2]), ack=sys.argv[3] == "ack"))
