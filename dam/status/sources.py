"""What several parts look through: one client each for HTTP, the bucket and the queue, opened when needed.

Opened once by `open_parts` and closed with it. It makes nothing: no folder, no queue.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import httpx

from dam.doctor.places import folder_of
from dam.queue.opening import file_of, open_queue
from dam.store.opening import open_store
from dam.threads import run_apart

if TYPE_CHECKING:
    from dam.queue.port import JobQueue
    from dam.status.settings import StatusSettings
    from dam.store.port import ObjectStore

_CLOSING_S: Final = 3.0


class Sources:
    """An async context; its clients may be used until it is left."""

    def __init__(self, settings: StatusSettings) -> None:
        self.settings = settings
        self.http = httpx.AsyncClient(timeout=settings.status_timeout_s)
        self._store: ObjectStore | None = None
        self._queue: JobQueue | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all; what cannot be closed in a few seconds ends with the process."""
        with suppress(Exception):
            async with asyncio.timeout(_CLOSING_S):
                await self.http.aclose()
                for source in (self._queue, self._store):
                    if source:
                        await source.close()

    @property
    def is_amqp(self) -> bool:
        """Whether the queue is a broker's."""
        return self.settings.queue_url.get_secret_value().lower().startswith("amqp")

    async def find_store(self) -> ObjectStore | None:
        """The bucket; None for a folder that is not there yet. Raises `SettingsError`, `StoreError`."""
        async with self._opening:
            if self._store is None:
                folder = folder_of(self.settings.store_url)
                if folder is not None and not await run_apart(folder.exists):
                    return None
                self._store = await open_store(self.settings)
            return self._store

    async def find_queue(self) -> JobQueue | None:
        """The queue; None for a file that is not there yet.

        Raises:
            SettingsError: the URL is none.
            QueueUnavailableError: the file cannot be read. A broker is reached when it is asked.
        """
        if self._queue is None:
            url = self.settings.queue_url.get_secret_value()
            if self.is_amqp:
                from dam.queue.amqp.link import parse_url  # noqa: PLC0415 - only where it is used
                from dam.queue.amqp.queue import AmqpQueue  # noqa: PLC0415 - as above

                self._queue = AmqpQueue(parse_url(url))  # `connect` would declare the queues
            elif url.startswith("sqlite:") and not await run_apart(file_of(url).exists):
                return None
            else:
                self._queue = await open_queue(self.settings)
        return self._queue
