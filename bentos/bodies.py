"""How many bytes of request bodies are in memory: a bound for all requests together.

Used by `intake` while a body streams in, and by `app`, which gives the bytes back once it has answered. The
limit of one body would not help where many of that size come at once.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bentos import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator


class Body:
    """What one request holds."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self.size = 0

    def grow(self, count: int) -> None:
        """So many more bytes have come. Raises RefusalError where all bodies together are too large."""
        self._bodies.held += count
        self.size += count
        if self._bodies.held > self._bodies.limit:
            raise refusals.overfull()


class Bodies:
    """All bodies of one app; `held` never stays above `limit` by more than one chunk a request."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    @contextmanager
    def open(self) -> Iterator[Body]:
        """A body, until its request is answered."""
        body = Body(self)
        try:
            yield body
        finally:
            self.held -= body.size
