"""A job queue in memory, with the port's endings. Its seconds can be made shorter."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dam.errors import QueueUnavailableError
from dam.queue.port import Delivery, JobQueue, QueueDepth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager


@dataclass
class _Message:
    body: bytes
    attempts: int = 0
    redeliveries: int = 0
    reason: str = ""


@dataclass
class MemoryDelivery(Delivery):
    """One held message; `ending` names the ending it got, for assertions."""

    queue: MemoryQueue
    message: _Message
    slots: asyncio.Semaphore
    dead: bool
    ending: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.body = self.message.body
        self.attempts = self.message.attempts
        self.redeliveries = self.message.redeliveries
        self.reason = self.message.reason

    def _end(self, ending: str) -> None:
        if self.ending == "lost":
            raise QueueUnavailableError("This delivery was lost with its queue; it is delivered again.")
        if self.ending:
            raise AssertionError(f"This delivery ended twice: {self.ending}, then {ending}.")
        if self.queue.down is not None:
            self.come_back()
            raise QueueUnavailableError(self.queue.down)
        self.ending = ending
        self.queue.held.remove(self)
        self.slots.release()

    def come_back(self) -> None:
        """What a consumer's death or a lost connection does: delivered again, and counted."""
        self.ending = "lost"
        self.queue.held.remove(self)
        self.slots.release()
        self.message.redeliveries += 1
        self.queue.deliver_later(self.message, 0, dead=self.dead)

    async def ack(self) -> None:
        """Forget it."""
        self._end("ack")

    async def retry(self, delay_s: int) -> None:
        """Deliver again later, attempts + 1."""
        self._end("retry")
        self.message.attempts += 1
        self.queue.delays_s.append(delay_s)
        self.queue.deliver_later(self.message, delay_s, dead=self.dead)

    async def release(self, delay_s: int = 0) -> None:
        """Give it back untouched."""
        self._end("release")
        self.queue.deliver_later(self.message, delay_s, dead=self.dead)

    async def dead_letter(self, code: str, message: str) -> None:
        """Move it to the dead letters."""
        self._end("dead_letter")
        self.message.reason = f"{code}: {message}"
        self.queue.dead_letters.put_nowait(self.message)

    async def park(self, code: str, message: str) -> None:
        """Keep it aside."""
        self._end("park")
        self.queue.parked.append((self.message.body, f"{code}: {message}"))


class MemoryQueue(JobQueue):
    """Jobs in `jobs`, dead letters in `dead_letters`, deliveries not yet ended in `held`.

    While `down` is set, every call and every ending raises `QueueUnavailableError` with it, and nothing is
    delivered. `published` keeps every body ever published, `delays_s` how long each retry had to wait.
    """

    def __init__(self, *, second_s: float = 1.0) -> None:
        self.second_s = second_s
        self.jobs: asyncio.Queue[_Message] = asyncio.Queue()
        self.dead_letters: asyncio.Queue[_Message] = asyncio.Queue()
        self.held: list[MemoryDelivery] = []
        self.parked: list[tuple[bytes, str]] = []
        self.published: list[bytes] = []
        self.delays_s: list[float] = []
        self._down: str | None = None
        self._up = asyncio.Event()
        self._up.set()
        self.closed = False
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def url(self) -> str:
        """For people."""
        return "memory://queue"

    @property
    def down(self) -> str | None:
        """Why it cannot be reached; None while it can."""
        return self._down

    @down.setter
    def down(self, reason: str | None) -> None:
        self._down = reason
        if reason is None:
            self._up.set()
        else:
            self._up.clear()

    def check(self) -> None:
        """Raise while `down`."""
        if self.down is not None:
            raise QueueUnavailableError(self.down)

    def deliver_later(self, message: _Message, delay_s: float, *, dead: bool) -> None:
        """Put a message back, at once or after a delay."""
        target = self.dead_letters if dead else self.jobs
        if delay_s == 0:
            target.put_nowait(message)
            return

        def due() -> None:
            self._timers.discard(timer)
            target.put_nowait(message)

        timer = asyncio.get_running_loop().call_later(delay_s * self.second_s, due)
        self._timers.add(timer)

    async def publish(self, body: bytes) -> None:
        """Queue one job."""
        self.check()
        self.published.append(body)
        self.jobs.put_nowait(_Message(body))

    @asynccontextmanager
    async def _consume(
        self, source: asyncio.Queue[_Message], prefetch: int, *, dead: bool
    ) -> AsyncIterator[AsyncIterator[Delivery]]:
        slots = asyncio.Semaphore(prefetch)

        async def deliveries() -> AsyncIterator[Delivery]:
            while True:
                await slots.acquire()
                await self._up.wait()
                delivery = MemoryDelivery(self, await source.get(), slots, dead)
                self.held.append(delivery)
                yield delivery

        yield deliveries()

    def consume(self, prefetch: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Jobs, at most `prefetch` held at once."""
        return self._consume(self.jobs, prefetch, dead=False)

    def consume_dead(self, prefetch: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Dead letters, the same way."""
        return self._consume(self.dead_letters, prefetch, dead=True)

    def return_lost(self, body: bytes, times: int) -> None:
        """As if a job had come back so often because its worker died."""
        self.jobs.put_nowait(_Message(body, redeliveries=times))

    def lose_consumer(self) -> None:
        """As if every consumer had died: what is held comes back with `redeliveries` raised."""
        for delivery in tuple(self.held):
            delivery.come_back()

    async def depth(self) -> QueueDepth:
        """How many messages are where."""
        self.check()
        return QueueDepth(
            ready=self.jobs.qsize(),
            in_flight=sum(not delivery.dead for delivery in self.held),
            delayed=len(self._timers),
            dead=self.dead_letters.qsize() + sum(delivery.dead for delivery in self.held),
            parked=len(self.parked),
        )

    async def ping(self) -> None:
        """Raise while `down`."""
        self.check()

    async def close(self) -> None:
        """Drop what waits out a delay."""
        self.closed = True
        for timer in self._timers:
            timer.cancel()
