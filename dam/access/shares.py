"""What one token may take of a service, so that no client starves the others: at once, and in a minute."""

from __future__ import annotations

import math
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from dam.access import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.access.tokens import Token

_SOON_S: Final = 1
"""`Retry-After` where requests under way have to end first."""


class Shares:
    """One for each service. Who comes without a token, where that is allowed, is bound by nothing."""

    def __init__(self, at_once: int, per_minute: int) -> None:
        """`per_minute` 0: as many as come; a token's own limit holds anyway."""
        self._at_once = at_once
        self._per_minute = per_minute
        self._running: Counter[str] = Counter()
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    @contextmanager
    def take(self, token: Token | None) -> Iterator[None]:
        """Hold one request's place. Raises `NotAdmittedError`."""
        if token is None:
            yield
            return
        if self._running[token.id] >= self._at_once:
            raise refusals.too_many(
                f"{self._at_once} requests of {token.name} are under way; one token may have no more.",
                _SOON_S,
            )
        self._count(token)
        self._running[token.id] += 1
        try:
            yield
        finally:
            self._running[token.id] -= 1
            if not self._running[token.id]:
                del self._running[token.id]

    def _count(self, token: Token) -> None:
        per_minute = token.requests_per_minute or self._per_minute
        if not per_minute:
            return
        limit = RateLimitItemPerMinute(per_minute)
        if not self._limiter.hit(limit, token.id):
            ends = self._limiter.get_window_stats(limit, token.id).reset_time
            raise refusals.too_many(
                f"{token.name} has made the {per_minute:,} requests that it may make in a minute.",
                max(1, math.ceil(ends - time.time())),
            )
