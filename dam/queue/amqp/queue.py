"""`AmqpQueue`: the job queue on a broker.

Used through the port by every service. Two connections, each opened when it is first needed: one publishes
(`Outlet`), one consumes and looks.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Self

from aio_pika.exceptions import ChannelNotFoundEntity

from dam.queue.amqp import topology
from dam.queue.amqp.intake import AmqpIntake
from dam.queue.amqp.link import Link, parse_url, place_of, told_as_unavailable
from dam.queue.amqp.outlet import Outlet
from dam.queue.port import JobQueue, QueueDepth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aio_pika.abc import AbstractConnection
    from yarl import URL

    from dam.queue.port import Delivery

CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 5.0


class AmqpQueue(JobQueue):
    """The queue in one vhost of a broker."""

    def __init__(self, url: URL) -> None:
        self._place = place_of(url)
        self._topology = topology.Topology(self._place)
        self._outlet = Outlet(url, self._place, self._topology)
        self._link = Link(url, "consumer")
        self._intakes: set[AmqpIntake] = set()
        self._lingering: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect and declare the queues, within `CONNECT_TIMEOUT_S`.

        Raises:
            SettingsError: the URL is malformed.
            QueueUnavailableError: no answer, wrong credentials, or queues of another kind under our names.
        """
        queue = cls(parse_url(url))
        try:
            with told_as_unavailable(queue.url, "Connecting to"):
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await queue._outlet.open()
        except BaseException:
            await queue.close()
            raise
        return queue

    @property
    def url(self) -> str:
        """See the port."""
        return self._place

    async def publish(self, body: bytes) -> None:
        """See the port."""
        await self._outlet.publish(topology.JOBS, body, {})

    @asynccontextmanager
    async def consume(self, prefetch: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See the port."""
        async with self._intake(topology.JOBS, prefetch) as deliveries:
            yield deliveries

    @asynccontextmanager
    async def consume_dead(self, prefetch: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        """See the port."""
        async with self._intake(topology.DEAD, prefetch) as deliveries:
            yield deliveries

    @asynccontextmanager
    async def _intake(self, queue: str, prefetch: int) -> AsyncIterator[AsyncIterator[Delivery]]:
        intake = AmqpIntake(
            self._link, self._outlet, self._topology, place=self._place, queue=queue, prefetch=prefetch
        )
        self._intakes.add(intake)
        try:
            async with intake:
                yield intake
        finally:
            task = asyncio.create_task(self._linger(intake))
            self._lingering.add(task)
            task.add_done_callback(self._lingering.discard)

    async def _linger(self, intake: AmqpIntake) -> None:
        """Keep a stopped consumer's channel until its last delivery has ended."""
        await intake.held.wait_until_empty()
        await intake.close()
        self._intakes.discard(intake)

    async def depth(self) -> QueueDepth:
        """See the port. A broker tells no one what others hold: `in_flight` is this process's own."""
        with told_as_unavailable(self._place, "Counting the jobs of"):
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    counts = await _count(await self._link.connection())
            except TimeoutError:
                self._link.drop()
                raise
        held = {
            queue: sum(intake.unacknowledged for intake in self._intakes if intake.queue == queue)
            for queue in (topology.JOBS, topology.DEAD)
        }
        delayed = topology.delay_queues(topology.JOBS)
        dead = (topology.DEAD, *topology.delay_queues(topology.DEAD))
        return QueueDepth(
            ready=counts[topology.JOBS],
            in_flight=held[topology.JOBS],
            delayed=sum(counts[queue] for queue in delayed),
            dead=sum(counts[queue] for queue in dead) + held[topology.DEAD],
            parked=counts[topology.PARKED],
        )

    async def ping(self) -> None:
        """See the port."""
        with told_as_unavailable(self._place, "Reaching"):
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._outlet.ping()
            except TimeoutError:
                self._outlet.drop()
                raise

    async def close(self) -> None:
        """See the port."""
        for task in tuple(self._lingering):
            task.cancel()
            await asyncio.wait([task])
        with contextlib.suppress(TimeoutError):  # what could not be given back comes back by itself
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                for intake in tuple(self._intakes):
                    await intake.stop()
                    await intake.close()
        await asyncio.gather(self._link.close(), self._outlet.close())


async def _count(connection: AbstractConnection) -> dict[str, int]:
    """Messages that wait, by queue; a queue that is missing has none."""
    counts = {}
    channel = await connection.channel()
    for name in topology.NAMES:
        if channel.is_closed:
            channel = await connection.channel()
        try:
            queue = await channel.declare_queue(name, passive=True)
        except ChannelNotFoundEntity:
            counts[name] = 0
        else:
            counts[name] = queue.declaration_result.message_count or 0
    if not channel.is_closed:
        await channel.close()
    return counts
