"""The job queue as the rest of the project sees it: at least once, durable, with delayed retries.

One contract test suite runs against every adapter. Nothing here knows what a job means; bodies are bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

RETRY_DELAYS_S: Final = (1, 5, 30, 120, 600)
"""Fixed delays a retry can choose from; an adapter may need one queue for each."""


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages wait (`ready`), are held by consumers, wait out a delay, or lie among the dead.

    `parked` counts dead letters that name no asset: no row can be made of them.
    """

    ready: int
    in_flight: int
    delayed: int
    dead: int
    parked: int


class Delivery(ABC):
    """One message held by this consumer. Exactly one of the five endings is called, once.

    While it is held it is not given to anyone else, however long that takes; if this process dies it is
    delivered again with `redeliveries` raised.
    """

    body: bytes
    attempts: int
    """Failed attempts of the job itself so far (0 at first); raised by `retry` alone."""
    redeliveries: int
    """How often it came back without an ending, because a consumer died or was cut off."""
    reason: str
    """Why it is dead ("CODE: sentence"); empty on the jobs queue."""

    @abstractmethod
    async def ack(self) -> None:
        """Done: forget it."""

    @abstractmethod
    async def retry(self, delay_s: int) -> None:
        """Failed for now: deliver again after about `delay_s` (one of `RETRY_DELAYS_S`), attempts + 1."""

    @abstractmethod
    async def release(self, delay_s: int = 0) -> None:
        """Give it back untouched, `attempts` and `redeliveries` as they were (a stop, the Bento down)."""

    @abstractmethod
    async def dead_letter(self, code: str, message: str) -> None:
        """Failed for good: move it to the dead letters with its reason."""

    @abstractmethod
    async def park(self, code: str, message: str) -> None:
        """Of a dead letter that names no asset: keep the body where a person can look at it."""


class JobQueue(ABC):
    """Jobs and dead letters. Methods raise `QueueUnavailableError` when the queue cannot be reached."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is, for people, never with a password."""

    @abstractmethod
    async def publish(self, body: bytes) -> None:
        """Queue one job; when this returns it is durable.

        Safe to call many times at once; a broker that refuses for now (no route, over its limit, down)
        raises `QueueUnavailableError` within a bounded time and never blocks the caller for good.
        """

    @abstractmethod
    def consume(self, prefetch: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Jobs, at most `prefetch` held at once. The iterator survives reconnects and ends with its context.

        Leaving the context stops the intake first; deliveries still held may be ended afterwards, until
        `close`. What is never ended is delivered again.
        """

    @abstractmethod
    def consume_dead(self, prefetch: int) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """Dead letters, the same way. Their endings are `ack`, `release` and `park`."""

    @abstractmethod
    async def depth(self) -> QueueDepth:
        """How many messages are where, now."""

    @abstractmethod
    async def ping(self) -> None:
        """Raise `QueueUnavailableError`, with its reason, unless the queue answers now (bound: 5 s)."""

    @abstractmethod
    async def close(self) -> None:
        """Release what is held and disconnect."""
