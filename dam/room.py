"""A weighted semaphore: so much (bytes, pixels) at once, first come, first served.

Ingest bounds the memory of bodies by it, the orchestrator that of originals and decodes. Where holders have
names, none of them has all of it, however many it asks for: there is always room for another.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


_SHARE: Final = 2 / 3
"""The most that one named holder may have."""


class NoRoomError(Exception):
    """The wait took too long."""


class Room:
    """Holds `size`. What is larger than it all is held alone; nobody is passed over by a smaller one.

    Only who has its share already is passed over, until it gives some of it back.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._held: Counter[str] = Counter()
        self._waiting: deque[tuple[int, str | None, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(
        self, amount: int, timeout_s: float | None = None, *, holder: str | None = None
    ) -> AsyncIterator[None]:
        """Wait for `amount`, hold it, give it back. Raises NoRoomError after waiting `timeout_s`."""
        share = min(max(amount, 0), self._size)
        try:
            async with asyncio.timeout(timeout_s):
                await self._take(share, holder)
        except TimeoutError as error:
            raise NoRoomError from error
        try:
            yield
        finally:
            self._give_back(share, holder)

    async def _take(self, share: int, holder: str | None) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((share, holder, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(share, holder)  # admitted in the same moment
            else:
                self._admit()
            raise

    def _give_back(self, share: int, holder: str | None) -> None:
        self._taken -= share
        if holder is not None:
            self._held[holder] -= share
            if not self._held[holder]:
                del self._held[holder]
        self._admit()

    def _admit(self) -> None:
        """Let in from the front, up to the first that does not fit."""
        passed_over: list[tuple[int, str | None, asyncio.Future[None]]] = []
        while self._waiting:
            share, holder, turn = self._waiting[0]
            if turn.cancelled():  # its task was called off, and may not know yet
                self._waiting.popleft()
            elif self._has_its_share(share, holder):
                passed_over.append(self._waiting.popleft())
            elif self._taken + share > self._size:
                break
            else:
                self._waiting.popleft()
                self._taken += share
                if holder is not None:
                    self._held[holder] += share
                turn.set_result(None)
        self._waiting.extendleft(reversed(passed_over))

    def _has_its_share(self, share: int, holder: str | None) -> bool:
        """What is too large for any share is taken all the same by who holds nothing."""
        held = self._held[holder] if holder is not None and holder in self._held else 0
        return held > 0 and held + share > self._size * _SHARE
