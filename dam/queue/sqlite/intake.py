"""One consumer of the SQLite queue: claims what is due, hands it out, and the deliveries' endings.

Used by `SqliteQueue` alone. It never holds more than its prefetch, handed out or not.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import structlog

from dam.errors import QueueUnavailableError
from dam.queue.held import Held, HeldDelivery, reason_of
from dam.queue.sqlite import leases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from sqlite3 import Connection
    from types import TracebackType

    from dam.queue.sqlite.queue import SqliteQueue

LOOK_SOONEST_S: Final = 0.01
LOOK_LATEST_S: Final = 0.2
"""How often an idle consumer looks for jobs of other processes: one indexed read, about 0.1 ms."""

FAILED_PAUSE_S: Final = 1.0

log = structlog.get_logger(__name__)


class SqliteDelivery(HeldDelivery):
    """One leased row."""

    def __init__(
        self, queue: SqliteQueue, held: Held, state: leases.State, owner: str, row: leases.Claimed
    ) -> None:
        super().__init__(
            held, body=row.body, attempts=row.attempts, redeliveries=row.redeliveries, reason=row.reason
        )
        self._queue = queue
        self._id = row.id
        self._owner = owner
        self._queue_state = state

    async def ack(self) -> None:
        """See the port."""
        await self._finish(partial(leases.delete, message=self._id, owner=self._owner))

    async def retry(self, delay_s: int) -> None:
        """See the port."""
        await self._move(leases.Move(self._queue_state, self.attempts + 1, self.reason, delay_s))

    async def release(self, delay_s: int = 0) -> None:
        """See the port."""
        await self._move(leases.Move(self._queue_state, self.attempts, self.reason, delay_s))

    async def dead_letter(self, code: str, message: str) -> None:
        """See the port."""
        await self._move(leases.Move("dead", self.attempts, reason_of(code, message)))

    async def park(self, code: str, message: str) -> None:
        """See the port."""
        await self._move(leases.Move("parked", self.attempts, reason_of(code, message)))

    async def _move(self, to: leases.Move) -> None:
        await self._finish(partial(leases.move, message=self._id, owner=self._owner, to=to))

    async def _finish(self, operation: Callable[[Connection], bool]) -> None:
        async def ending() -> None:
            if not await self._queue.file.write(operation):
                raise QueueUnavailableError(
                    "The lease of this job expired while this process stood still; it is delivered again."
                )

        try:
            await self._end(ending)
        finally:
            self._queue.wake()  # there is room for another, or this one may be due again

    async def _give_up(self) -> None:
        self._queue.abandon(self._id, self._owner)


class SqliteIntake:
    """An iterator of deliveries, alive inside its context."""

    def __init__(self, queue: SqliteQueue, state: leases.State, prefetch: int) -> None:
        self._queue = queue
        self._state = state
        self._held = Held(prefetch)
        self._ready: asyncio.Queue[SqliteDelivery | None] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __aiter__(self) -> AsyncIterator[SqliteDelivery]:
        return self

    async def __anext__(self) -> SqliteDelivery:
        delivery = None if self._stopping else await self._ready.get()
        if delivery is None:
            self._ready.put_nowait(None)  # for whoever waits beside us
            raise StopAsyncIteration
        return delivery

    def wake(self) -> None:
        """Look again now."""
        self._wake.set()

    async def stop(self) -> None:
        """Stop claiming, then give back what was claimed and not handed out. Safe to call twice."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await asyncio.wait([self._task])  # not cancelled: a claim under way must not lose its rows
        waiting = [self._ready.get_nowait() for _ in range(self._ready.qsize())]
        self._ready.put_nowait(None)
        for delivery in waiting:
            if delivery is not None:
                await delivery.give_back()

    async def _run(self) -> None:
        pause = LOOK_SOONEST_S
        while not self._stopping:
            self._wake.clear()
            try:
                found = await self._fill()
            except QueueUnavailableError as error:
                log.warning("queue.consume_failed", queue=self._queue.url, error=str(error))
                found, pause = False, FAILED_PAUSE_S
            if found:
                pause = LOOK_SOONEST_S
            elif not self._stopping:
                await self._rest(pause)
                pause = min(pause * 2, LOOK_LATEST_S)

    async def _fill(self) -> bool:
        """Claim as much as there is room for; whether it makes sense to look again at once."""
        if not self._held.room:
            await self._rest(None)
            return True
        owner, rows = await self._queue.claim(self._state, self._held.room)
        for row in rows:
            delivery = SqliteDelivery(self._queue, self._held, self._state, owner, row)
            self._held.add(delivery)
            self._ready.put_nowait(delivery)
        return bool(rows)

    async def _rest(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
