"""Everything that is published: confirmed, persistent, never unroutable, in bounded time.

Used by `dam.queue.amqp` alone. It has a connection of its own: a broker that is short of memory or disk stops
reading from publishers, and must still read the consumers' acknowledgements.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aio_pika import DeliveryMode, Message
from aiormq.exceptions import (
    AMQPConnectionError,
    ChannelClosed,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ConnectionNotImplemented,
    PublishError,
)

from dam.queue.amqp import topology
from dam.queue.amqp.link import Link, cancelled_only_by_us, told_as_unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aio_pika.abc import AbstractChannel
    from pamqp.common import FieldValue
    from yarl import URL

PUBLISH_TIMEOUT_S: Final = 10.0
DECLARE_AGAIN_AFTER_S: Final = 0.5
"""A broker has to tell the consumers of a deleted queue first: see `AmqpIntake` for what happens else."""

_LOST: Final = (AMQPConnectionError, ChannelClosed, ChannelInvalidStateError)


class Outlet:
    """One channel with publisher confirms, shared by all publishers of the process."""

    def __init__(self, url: URL, place: str, queues: topology.Topology) -> None:
        self._place = place
        self._topology = queues
        self._link = Link(url, "publisher")
        self._channel: AbstractChannel | None = None
        self._lock = asyncio.Lock()
        self._declarations = 0

    async def publish(self, queue: str, body: bytes, headers: Mapping[str, FieldValue]) -> None:
        """Put one message into `queue`; when this returns the broker has it on disk.

        Raises:
            QueueUnavailableError: within `PUBLISH_TIMEOUT_S`; the message may have arrived all the same.
        """
        message = Message(
            body,
            headers=dict(headers),
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        with told_as_unavailable(self._place, "Publishing to"):
            try:
                async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                    await self._publish_twice(message, queue)
            except TimeoutError:
                self._link.drop()  # perhaps half open: whoever comes next gets a fresh connection
                raise

    async def _publish_twice(self, message: Message, queue: str) -> None:
        """Once more where the connection turns out dead, or the queue deleted: both heal by trying."""
        declarations = self._declarations
        try:
            await self._publish_once(message, queue)
        except PublishError:  # returned: no such queue
            await self._declare_again(declarations)
            await self._publish_once(message, queue)
        except _LOST:
            await self._publish_once(message, queue)

    async def _publish_once(self, message: Message, queue: str) -> None:
        with cancelled_only_by_us():
            channel = await self._open_channel()
            await channel.default_exchange.publish(message, queue, mandatory=True)

    async def open(self) -> None:
        """Connect and declare the queues now, so that the first publish need not."""
        try:
            await self._open_channel()
        except ConnectionNotImplemented:
            await self._open_channel()  # the topology has fallen back; this connection was closed over it

    async def ping(self) -> None:
        """The broker answers on the connection that publishes, and the jobs queue is there."""
        await self._open_channel()
        channel = await (await self._link.connection()).channel()
        try:
            await channel.declare_queue(topology.JOBS, passive=True)
        except ChannelNotFoundEntity:
            await self._declare_again(self._declarations)
        finally:
            if not channel.is_closed:
                await channel.close()

    async def _open_channel(self) -> AbstractChannel:
        async with self._lock:
            if self._channel is None or self._channel.is_closed:
                connection = await self._link.connection()
                await self._topology.declare(connection)
                self._declarations += 1
                self._channel = await connection.channel(on_return_raises=True)
            return self._channel

    async def _declare_again(self, declarations: int) -> None:
        async with self._lock:
            if self._declarations == declarations:  # else another publisher has done it since
                await asyncio.sleep(DECLARE_AGAIN_AFTER_S)
                await self._topology.declare(await self._link.connection())
                self._declarations += 1

    def drop(self) -> None:
        """The connection no longer answers: the next caller opens another."""
        self._link.drop()

    async def close(self) -> None:
        """Disconnect."""
        await self._link.close()
