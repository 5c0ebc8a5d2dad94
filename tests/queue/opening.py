"""Opens the queue that a test's URL names, with leases short enough to watch them expire."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from dam.queue.amqp import AmqpQueue
from dam.queue.sqlite import SqliteQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.queue import Delivery, JobQueue

BEAT_S = 0.2
SOON_S = 20.0
"""Long enough for anything that will happen, on a busy machine too."""


async def open_at(url: str) -> JobQueue:
    """The queue at `url`; a lease of the embedded one expires after about a second."""
    if url.startswith("sqlite://"):
        return await SqliteQueue.open(Path(url.removeprefix("sqlite://")), beat_s=BEAT_S)
    return await AmqpQueue.connect(url)


async def take(deliveries: AsyncIterator[Delivery], within_s: float = SOON_S) -> Delivery:
    """The next delivery."""
    return await asyncio.wait_for(anext(deliveries), within_s)


async def gets_nothing(deliveries: AsyncIterator[Delivery], for_s: float = 0.7) -> bool:
    """Whether nothing is delivered for a while."""
    try:
        delivery = await asyncio.wait_for(anext(deliveries), for_s)
    except TimeoutError:
        return True
    raise AssertionError(f"{delivery.body!r} was delivered.")
