"""A lane whose model is a function, and a recorder that keeps what it is told. Used by the lane's tests."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bentos.batching import Lane, Limits

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


async def wait_until_waiting(lane: Lane[Any, Any], number: int) -> None:
    """Return once so many items are prepared and wait for their batch."""
    async with asyncio.timeout(10):
        while len(lane._waiting) < number:  # noqa: ASYNC110 - the lane offers no event for it
            await asyncio.sleep(0.001)
