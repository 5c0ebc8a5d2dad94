"""The queues on the broker: their names, their arguments, and how they are declared.

Used by `dam.queue.amqp` alone. Every message is published to the default exchange under a queue's name, so
there is nothing to bind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
from aiormq.exceptions import ChannelPreconditionFailed, ConnectionNotImplemented

from dam.errors import QueueUnavailableError
from dam.queue.port import RETRY_DELAYS_S

if TYPE_CHECKING:
    from aio_pika.abc import AbstractConnection

JOBS: Final = "dam.jobs"
DEAD: Final = "dam.dead"
PARKED: Final = "dam.parked"

DEAD_DELAYS_S: Final = (30,)
"""A dead letter that could not be recorded for now waits this long; its consumer is in no hurry."""

# RabbitMQ 4 drops a quorum queue's message after 20 deliveries unless told otherwise, and before 4.0 "without
# limit" cannot be said. Nothing may be dropped here: the limit is out of reach, and beyond it lies the dead
# queue. Poison messages are the orchestrator's to judge, by `redeliveries`.
_DELIVERY_LIMIT: Final = 1_000_000

log = structlog.get_logger(__name__)


def delay_queue(queue: str, delay_s: int) -> str:
    """The queue whose messages go on to `queue` after the shortest fixed delay not below `delay_s`."""
    choices = RETRY_DELAYS_S if queue == JOBS else DEAD_DELAYS_S
    chosen = min((delay for delay in choices if delay >= delay_s), default=max(choices))
    return f"{queue}.delay-{chosen}s"


def delay_queues(queue: str) -> tuple[str, ...]:
    """All delay queues that lead to `queue`."""
    return tuple(delay_queue(queue, delay) for delay in (RETRY_DELAYS_S if queue == JOBS else DEAD_DELAYS_S))


NAMES: Final = (JOBS, DEAD, PARKED, *delay_queues(JOBS), *delay_queues(DEAD))


def arguments() -> dict[str, dict[str, Any]]:
    """Arguments by queue name, targets before the queues that lead to them."""
    queues: dict[str, dict[str, Any]] = {
        PARKED: {},
        DEAD: {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": PARKED},
        JOBS: {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD},
    }
    for target, delays in ((JOBS, RETRY_DELAYS_S), (DEAD, DEAD_DELAYS_S)):
        for delay in delays:
            queues[delay_queue(target, delay)] = {
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": target,
                "x-message-ttl": delay * 1000,
            }
    return queues


def as_quorum(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same queue as a quorum queue."""
    quorum = {"x-queue-type": "quorum", "x-delivery-limit": _DELIVERY_LIMIT, "x-overflow": "reject-publish"}
    if "x-dead-letter-exchange" in arguments:
        quorum["x-dead-letter-strategy"] = "at-least-once"
    return arguments | quorum


class Topology:
    """Declares the queues, as quorum queues where the broker has them."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._quorum = True
        self._told: set[str] = set()

    async def declare(self, connection: AbstractConnection) -> None:
        """Make every queue that is missing.

        Raises:
            QueueUnavailableError: a queue of that name exists and is of another kind.
        """
        channel = await connection.channel()
        try:
            for name, plain in arguments().items():
                for form in (as_quorum(plain), plain) if self._quorum else (plain,):
                    if channel.is_closed:  # a refusal closes the channel
                        channel = await connection.channel()
                    try:
                        await channel.declare_queue(name, durable=True, arguments=form)
                    except ChannelPreconditionFailed as error:
                        self._refused(name, form, str(error))
                    else:
                        break
        except ConnectionNotImplemented as error:
            self._quorum = False  # for the connection that the caller opens next
            log.warning("queue.no_quorum_queues", broker=self._place, reason=str(error))
            raise
        finally:
            if not channel.is_closed:
                await channel.close()

    def _refused(self, name: str, form: dict[str, Any], reason: str) -> None:
        """Fall back to a classic queue, said once; what is refused as a classic queue too is not ours."""
        if "x-queue-type" not in form:
            raise QueueUnavailableError(
                f"The broker {self._place} has a queue {name} that is none of ours ({reason}). "
                "Delete it, or name another vhost in DAM_QUEUE_URL."
            )
        if name not in self._told:
            self._told.add(name)
            log.warning("queue.classic_fallback", broker=self._place, name=name, reason=reason)
