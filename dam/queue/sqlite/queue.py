"""`SqliteQueue`: the job queue in one file, and the keeper that beats, buries and tidies.

Used through the port by every service. Safe for several processes of one machine; never for a network share
(SQLite's write-ahead log needs shared memory).
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import structlog

from dam.errors import QueueUnavailableError
from dam.ids import new_id
from dam.queue.port import JobQueue, QueueDepth
from dam.queue.sqlite import leases
from dam.queue.sqlite.file import QueueFile
from dam.queue.sqlite.intake import SqliteIntake

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.queue.port import Delivery

BEAT_S: Final = 3.0
PING_TIMEOUT_S: Final = 5.0

log = structlog.get_logger(__name__)


class SqliteQueue(JobQueue):
    """The queue in `path`. `beat_s` is how often a process shows that it lives and looks after the others."""

    def __init__(self, path: Path, *, beat_s: float = BEAT_S) -> None:
        self.file = QueueFile(path)
        self.owner = new_id()
        self._beat_s = beat_s
        self._registered = False
        self._abandoned: list[tuple[int, str]] = []
        self._still: dict[str, tuple[int, int]] = {}
        self._intakes: set[SqliteIntake] = set()
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path, *, beat_s: float = BEAT_S) -> Self:
        """Open the file, or make it.

        Raises:
            QueueUnavailableError: it cannot be made or read, or is no queue file.
        """
        queue = cls(path, beat_s=beat_s)
        try:
            await queue.file.open()
        except BaseException:
            await queue.file.close()
            raise
        return queue

    @property
    def url(self) -> str:
        """See the port."""
        return f"sqlite://{self.file.path}"

    async def publish(self, body: bytes) -> None:
        """See the port."""
        await self.file.write(partial(leases.add, body=body))
        self.wake()

    def wake(self) -> None:
        """Something may be due: this process's consumers need not wait for their next look."""
        for intake in self._intakes:
            intake.wake()

    @asynccontextmanager
    async def consume(self, prefetch: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See the port."""
        async with self._intake("jobs", prefetch) as deliveries:
            yield deliveries

    @asynccontextmanager
    async def consume_dead(self, prefetch: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See the port."""
        async with self._intake("dead", prefetch) as deliveries:
            yield deliveries

    @asynccontextmanager
    async def _intake(self, state: leases.State, prefetch: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        intake = SqliteIntake(self, state, prefetch)
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        self._intakes.add(intake)
        try:
            async with intake:
                yield intake
        finally:
            self._intakes.discard(intake)

    async def claim(self, state: leases.State, limit: int) -> tuple[str, list[leases.Claimed]]:
        """Lease what is due, and under which owner. An owner that others took for dead starts anew."""
        if not await self.file.read(partial(leases.any_due, state=state)):
            return self.owner, []
        return await self.file.write(partial(self._claim, state=state, limit=limit))

    def _claim(
        self, connection: sqlite3.Connection, state: leases.State, limit: int
    ) -> tuple[str, list[leases.Claimed]]:
        if not leases.beat(connection, self.owner):
            if self._registered:  # declared dead: what is held under the old name must not be ended twice
                self.owner = new_id()
            leases.register(connection, self.owner)
            self._registered = True
        return self.owner, leases.claim(connection, state, self.owner, limit)

    def abandon(self, message: int, owner: str) -> None:
        """An ending failed: give it back as soon as the file can be written again."""
        self._abandoned.append((message, owner))

    async def depth(self) -> QueueDepth:
        """See the port."""
        return await self.file.read(leases.depth)

    async def ping(self) -> None:
        """See the port."""
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await self.file.read(lambda connection: connection.execute("SELECT 1 FROM messages LIMIT 1"))
        except TimeoutError:
            raise QueueUnavailableError(f"The queue file {self.file.path} does not answer.") from None

    async def close(self) -> None:
        """See the port."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        for intake in tuple(self._intakes):
            await intake.stop()
        with contextlib.suppress(QueueUnavailableError):  # then others find the lease expired
            await self._give_back()
            if self._registered:
                await self.file.write(partial(leases.leave, owner=self.owner))
        await self.file.close()

    async def _keep(self) -> None:
        """Beat, look after the others' leases, tidy: every `beat_s`, for as long as anything consumes."""
        while True:
            try:
                await self._give_back()
                await self.file.write(partial(leases.beat_while_holding, owner=self.owner))
                await self._bury_the_dead()
                if await self.file.read(leases.stranded):
                    await self.file.write(leases.unstrand)
                await self.file.read(leases.shrink)
            except QueueUnavailableError as error:
                log.warning("queue.keeping_failed", queue=self.url, error=str(error))
            await asyncio.sleep(self._beat_s)

    async def _give_back(self) -> None:
        abandoned = tuple(self._abandoned)
        if abandoned:
            await self.file.write(partial(leases.abandon, messages=abandoned))
            del self._abandoned[: len(abandoned)]

    async def _bury_the_dead(self) -> None:
        """Count, for every other owner, the looks at which its counter stood still."""
        seen = await self.file.read(leases.owners)
        seen.pop(self.owner, None)
        looks = {owner: self._looks(owner, beat) for owner, beat in seen.items()}
        self._still = {owner: (seen[owner], count) for owner, count in looks.items()}
        for owner, count in looks.items():
            if count >= leases.EXPIRY_TICKS:
                back = await self.file.write(partial(leases.bury, owner=owner, last_beat=seen[owner]))
                if back:  # an idle owner does not beat: its entry goes quietly, its next claim makes another
                    log.warning("queue.lease_expired", queue=self.url, owner=owner, messages=back)

    def _looks(self, owner: str, beat: int) -> int:
        before, count = self._still.get(owner, (beat, 0))
        return count + 1 if before == beat else 0
