"""One message held from the broker: its headers read, its five endings.

Used by `dam.queue.amqp` alone. An ending that moves a message publishes it with confirm first and only then
acknowledges it, so that a crash in between can double it, never lose it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiormq.exceptions import ChannelInvalidStateError

from dam.errors import QueueUnavailableError
from dam.queue.amqp import topology
from dam.queue.amqp.link import CLOSE_TIMEOUT_S, told_as_unavailable
from dam.queue.held import Held, HeldDelivery, reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aio_pika.abc import AbstractIncomingMessage
    from pamqp.common import FieldValue

    from dam.queue.amqp.outlet import Outlet

ATTEMPTS: Final = "dam-attempts"
REDELIVERIES: Final = "dam-redeliveries"
REASON: Final = "dam-reason"


class Counts(NamedTuple):
    """What a message's headers say of its past."""

    attempts: int
    redeliveries: int
    reason: str


def read_headers(headers: Mapping[str, Any], *, redelivered: bool) -> Counts:
    """Read our headers and the broker's; a message published by hand has neither.

    The broker's own count starts again with every publish, so ours carries what was before. Until RabbitMQ
    4.2 `x-delivery-count` counts every return, since 4.3 only rejections, and `x-acquired-count` the rest; a
    broker without either has only the `redelivered` flag.
    """
    counted = max(_number(headers.get("x-delivery-count")), _number(headers.get("x-acquired-count")))
    return Counts(
        attempts=_number(headers.get(ATTEMPTS)),
        redeliveries=_number(headers.get(REDELIVERIES)) + max(counted, int(redelivered)),
        reason=str(headers.get(REASON) or _broker_reason(headers)),
    )


def _number(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0


def _broker_reason(headers: Mapping[str, Any]) -> str:
    """Why the broker itself moved it: the newest entry of `x-death`; expiry is how a delay ends."""
    deaths = headers.get("x-death")
    newest = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
    reason = newest.get("reason", "expired")
    return "" if reason == "expired" else reason_of("dead_lettered", f"The broker gave the job up: {reason}.")


class AmqpDelivery(HeldDelivery):
    """A message on a channel; when the channel dies every ending raises and the message comes back."""

    def __init__(
        self, outlet: Outlet, place: str, held: Held, queue: str, message: AbstractIncomingMessage
    ) -> None:
        counts = read_headers(message.headers, redelivered=bool(message.redelivered))
        super().__init__(held, body=message.body, **counts._asdict())
        self._outlet = outlet
        self._place = place
        self._queue = queue
        self._message = message

    @property
    def is_cut_off(self) -> bool:
        """Whether its channel is gone, and the broker has taken the message back."""
        try:
            return self._message.channel.is_closed
        except ChannelInvalidStateError:  # how aio-pika 10 answers for a closed one
            return True

    async def ack(self) -> None:
        """See the port."""
        await self._end(self._acknowledge)

    async def retry(self, delay_s: int) -> None:
        """See the port."""
        await self._move(topology.delay_queue(self._queue, delay_s), attempts=self.attempts + 1)

    async def release(self, delay_s: int = 0) -> None:
        """See the port. Not a `basic.nack`, which would count as a redelivery."""
        await self._move(topology.delay_queue(self._queue, delay_s) if delay_s else self._queue)

    async def dead_letter(self, code: str, message: str) -> None:
        """See the port."""
        await self._move(topology.DEAD, reason=reason_of(code, message))

    async def park(self, code: str, message: str) -> None:
        """See the port."""
        await self._move(topology.PARKED, reason=reason_of(code, message))

    async def _move(self, queue: str, *, attempts: int | None = None, reason: str | None = None) -> None:
        headers: dict[str, FieldValue] = {
            ATTEMPTS: self.attempts if attempts is None else attempts,
            REDELIVERIES: self.redeliveries,
            REASON: self.reason if reason is None else reason,
        }

        async def ending() -> None:
            self._check()
            await self._outlet.publish(queue, self.body, headers)
            await self._acknowledge()

        await self._end(ending)

    def _check(self) -> None:
        if self.is_cut_off:
            raise QueueUnavailableError(
                f"The connection to {self._place} was lost while this job was held; it is delivered again."
            )

    async def _acknowledge(self) -> None:
        self._check()
        with told_as_unavailable(self._place, "Acknowledging to"):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._message.ack()

    async def _give_up(self) -> None:
        if self.is_cut_off:
            return
        try:
            with told_as_unavailable(self._place, "Giving back to"):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._message.nack(requeue=True)
        except QueueUnavailableError:
            return  # then the channel is dying, which gives it back as well
