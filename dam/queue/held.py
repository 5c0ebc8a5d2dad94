"""What both adapters share: a delivery that ends exactly once, and the bounded set of those still held.

Used by the adapters alone. Never talks to a broker or a file itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Final, Literal

from dam.errors import QueueUnavailableError
from dam.queue.port import Delivery

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

REASON_CHARACTERS: Final = 2000
"""Longest reason kept with a dead letter: it must fit into one header frame."""


def reason_of(code: str, message: str) -> str:
    """The reason as a delivery shows it: "CODE: sentence", cut to a length that every adapter can carry."""
    return f"{code}: {message}"[:REASON_CHARACTERS]


class HeldDelivery(Delivery):
    """A delivery that knows whether it has ended.

    An ending that fails with `QueueUnavailableError` is final too: the message comes back by itself, and
    every further ending says so. An ending that is cancelled leaves the delivery held, for `JobQueue.close`.
    """

    def __init__(self, held: Held, *, body: bytes, attempts: int, redeliveries: int, reason: str) -> None:
        self.body = body
        self.attempts = attempts
        self.redeliveries = redeliveries
        self.reason = reason
        self._held = held
        self._state: Literal["held", "ending", "ended", "lost"] = "held"

    async def _end(self, ending: Callable[[], Awaitable[None]]) -> None:
        """Run one ending and let go of the delivery."""
        if self._state == "lost":
            raise QueueUnavailableError("This delivery was lost with its queue; the job is delivered again.")
        if self._state != "held":
            raise RuntimeError("A delivery has exactly one ending, and this one was ended before.")
        self._state = "ending"
        try:
            await ending()
        except QueueUnavailableError:
            self._state = "lost"
            await self._give_up()
            self._held.discard(self)
            raise
        except BaseException:
            self._state = "held"
            raise
        self._state = "ended"
        self._held.discard(self)

    async def give_back(self) -> None:
        """Release it on behalf of a consumer that stops, unless an ending is under way. Never raises."""
        if self._state == "held":
            with contextlib.suppress(QueueUnavailableError):  # then it comes back by itself
                await self.release()
            self._state = "lost"

    @abstractmethod
    async def _give_up(self) -> None:
        """After a failed ending: see to it that the message comes back. Never raises."""


class Held:
    """The deliveries of one consumer that have no ending yet: at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._deliveries: set[HeldDelivery] = set()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._deliveries)

    def __iter__(self) -> Iterator[HeldDelivery]:
        return iter(tuple(self._deliveries))

    @property
    def room(self) -> int:
        """How many more may be held."""
        return max(0, self._limit - len(self._deliveries))

    def add(self, delivery: HeldDelivery) -> None:
        """Hold one more."""
        self._deliveries.add(delivery)

    def discard(self, delivery: HeldDelivery) -> None:
        """It has ended: there is room for another."""
        self._deliveries.discard(delivery)
        self._changed.set()

    async def wait_for_room(self) -> None:
        """Return once `room` is not 0."""
        while not self.room:
            await self._change()

    async def wait_until_empty(self) -> None:
        """Return once everything has ended."""
        while self._deliveries:
            await self._change()

    def lift(self) -> None:
        """Have no limit any more: nobody is to wait for room in a consumer that stops."""
        self._limit = sys.maxsize
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
