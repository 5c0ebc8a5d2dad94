"""One consumer on the broker: subscribes, subscribes again when cut off, and hands out deliveries.

Used by `AmqpQueue` alone. It never gives up while its context is open.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, Self

import structlog

from dam.errors import QueueUnavailableError
from dam.queue.amqp.delivery import AmqpDelivery
from dam.queue.amqp.link import CLOSE_TIMEOUT_S, Link, lost_or_late_alike, told_as_unavailable
from dam.queue.held import Held

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

    from dam.queue.amqp.outlet import Outlet
    from dam.queue.amqp.topology import Topology

SUBSCRIBE_TIMEOUT_S: Final = 10.0
PAUSE_FIRST_S: Final = 0.2
PAUSE_LAST_S: Final = 5.0
RENEW_S: Final = 60.0
"""How long a subscription may be silent before it is made anew."""

log = structlog.get_logger(__name__)


class AmqpIntake:
    """An iterator of deliveries, alive inside its context."""

    def __init__(  # noqa: PLR0913 - the parts of the queue that it works with
        self, link: Link, outlet: Outlet, queues: Topology, *, place: str, queue: str, prefetch: int
    ) -> None:
        self._link = link
        self._outlet = outlet
        self._topology = queues
        self._place = place
        self.queue = queue
        self._prefetch = prefetch
        self._ready: asyncio.Queue[AmqpDelivery | None] = asyncio.Queue()
        self._stopping = False
        self._lost = asyncio.Event()
        self._channel: AbstractChannel | None = None
        self._earlier: list[AbstractChannel] = []
        self._tag = ""
        self._received = 0
        self._task: asyncio.Task[None] | None = None
        self.held = Held(prefetch)
        """Handed out, without an ending."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __aiter__(self) -> AsyncIterator[AmqpDelivery]:
        return self

    async def __anext__(self) -> AmqpDelivery:
        while not self._stopping:
            # The broker counts by channel; deliveries of a lost one still being worked on count here too.
            await self.held.wait_for_room()
            delivery = await self._ready.get()
            if delivery is None:
                break
            if not delivery.is_cut_off:  # else the broker has it again and delivers it once more
                self.held.add(delivery)
                return delivery
        self._ready.put_nowait(None)  # for whoever waits beside us
        raise StopAsyncIteration

    async def _run(self) -> None:
        pause, lost = PAUSE_FIRST_S, True
        while not self._stopping:
            try:
                await self._subscribe()
            except QueueUnavailableError as error:
                log.warning("queue.consume_failed", broker=self._place, queue=self.queue, error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, PAUSE_LAST_S)
                continue
            if lost:
                log.info("queue.consuming", broker=self._place, queue=self.queue, prefetch=self._prefetch)
            pause = PAUSE_FIRST_S
            lost = await self._stay_subscribed()
            if lost:
                log.warning("queue.consumer_lost", broker=self._place, queue=self.queue)
                await asyncio.sleep(pause)

    async def _stay_subscribed(self) -> bool:
        """Return True once the consumer is lost, False where it got nothing for so long that it is renewed.

        RabbitMQ 3.10 says nothing when a quorum queue is deleted and made again within some milliseconds: it
        counts the consumer and its jobs with the new queue, and delivers none of them until it goes away.
        """
        while not self._lost.is_set():
            received = self._received
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), RENEW_S)
            if not (self._lost.is_set() or self._received > received or self.held or self._ready.qsize()):
                return False
        return True

    async def _subscribe(self) -> None:
        """Open a channel and consume.

        After a cancelled subscription (the queue was deleted) deliveries of the earlier channel may be held:
        it stays open for their endings, which can still move the jobs to safety.
        """
        await self._unsubscribe()
        if self._channel is not None and (self.held or not self._ready.empty()):
            self._earlier.append(self._channel)
        else:
            await self._close_channels()
        self._lost.clear()
        with told_as_unavailable(self._place, "Consuming from"):
            try:
                async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                    connection = await self._link.connection()
                    await self._topology.declare(connection)
                    self._channel = await connection.channel(publisher_confirms=False)
                    self._channel.close_callbacks.add(self._on_lost)
                    underlay = await self._channel.get_underlay_channel()
                    underlay.on_consumer_cancel_callbacks.add(self._on_lost)
                    await self._channel.set_qos(prefetch_count=self._prefetch)
                    queue = await self._channel.get_queue(self.queue, ensure=False)
                    self._tag = await queue.consume(self._receive)
            except TimeoutError:
                self._link.drop()
                raise

    def _on_lost(self, *_: object) -> None:
        """The channel was closed, or the broker cancelled the consumer (its queue was deleted)."""
        self._lost.set()

    async def _receive(self, message: AbstractIncomingMessage) -> None:
        self._received += 1
        delivery = AmqpDelivery(self._outlet, self._place, self.held, self.queue, message)
        if self._stopping:  # it was on its way when the subscription was cancelled
            self.held.add(delivery)
            await delivery.give_back()
        else:
            self._ready.put_nowait(delivery)

    async def stop(self) -> None:
        """Stop the intake, then give back what was not handed out. Safe to call twice."""
        self._stopping = True
        self.held.lift()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._unsubscribe()
        waiting = [self._ready.get_nowait() for _ in range(self._ready.qsize())]
        self._ready.put_nowait(None)
        await asyncio.gather(*(delivery.give_back() for delivery in waiting if delivery is not None))

    async def _unsubscribe(self) -> None:
        channel, self._tag, tag = self._channel, "", self._tag
        if channel is None or channel.is_closed or not tag:
            return
        with lost_or_late_alike():
            underlay = await channel.get_underlay_channel()
            await underlay.basic_cancel(tag, timeout=CLOSE_TIMEOUT_S)

    @property
    def unacknowledged(self) -> int:
        """What the broker counts as delivered to this consumer."""
        return len(self.held) + self._ready.qsize() - self._stopping

    async def close(self) -> None:
        """Give back what is still held, and close the channel."""
        await asyncio.gather(*(delivery.give_back() for delivery in self.held))
        await self._close_channels()

    async def _close_channels(self) -> None:
        channels = [*self._earlier, *([self._channel] if self._channel else [])]
        self._earlier, self._channel = [], None
        for channel in channels:
            if not channel.is_closed:
                with lost_or_late_alike():
                    async with asyncio.timeout(CLOSE_TIMEOUT_S):
                        await channel.close()
