"""A dependency as a service holds it: opened when first needed, again after a failure, closed once.

So the service starts while the bucket or the broker is down, says so at `/readyz`, and works as soon as they
are back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dam.errors import DamError

log = structlog.get_logger()


class Resource(Protocol):
    """What a connection may hold."""

    async def ping(self) -> None:
        """Raise unless it answers now."""

    async def close(self) -> None:
        """Release it."""


T = TypeVar("T", bound=Resource)


class Connection(Generic[T]):
    """One resource. `unavailable` is raised where opening takes longer than `timeout_s`."""

    def __init__(
        self, name: str, opener: Callable[[], Awaitable[T]], unavailable: type[DamError], timeout_s: float
    ) -> None:
        self.name = name
        self._opener = opener
        self._unavailable = unavailable
        self._timeout_s = timeout_s
        self._opening: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """The open resource. Callers that come while it is being opened share one try.

        Raises:
            DamError: the opener's own, or `unavailable`.
        """
        if self._opening is None or self._has_failed(self._opening):
            self._opening = asyncio.create_task(self._open(), name=f"open {self.name}")
        return await asyncio.shield(self._opening)

    @staticmethod
    def _has_failed(task: asyncio.Task[T]) -> bool:
        return task.done() and (task.cancelled() or task.exception() is not None)

    async def _open(self) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                resource = await self._opener()
        except TimeoutError as error:
            raise self._unavailable(
                f"The {self.name} did not open within {self._timeout_s:g} s; see that it runs."
            ) from error
        log.info("connection.opened", name=self.name)
        return resource

    async def ping(self) -> None:
        """Raise unless the resource is open, or can be opened, and answers."""
        resource = await self.get()
        await resource.ping()

    async def close(self) -> None:
        """Close what is open; a try under way is stopped."""
        if self._opening is None:
            return
        self._opening.cancel()
        await asyncio.wait([self._opening])
        if not self._has_failed(self._opening):
            await self._opening.result().close()
