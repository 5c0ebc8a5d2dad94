"""Picks the job-queue adapter for a URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dam.errors import SettingsError

if TYPE_CHECKING:
    from dam.queue.port import JobQueue
    from dam.settings import DamSettings


async def open_queue(settings: DamSettings) -> JobQueue:
    """Open the queue that `settings.queue_url` names; the caller closes it.

    Raises:
        SettingsError: an unknown scheme.
        QueueUnavailableError: the broker cannot be reached.
    """
    url = settings.queue_url.get_secret_value()
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        from dam.queue.sqlite import SqliteQueue  # noqa: PLC0415 - only where it is used

        return await SqliteQueue.open(Path(unquote(parts.path)))
    if parts.scheme in {"amqp", "amqps"}:
        from dam.queue.amqp import AmqpQueue  # noqa: PLC0415 - only where it is used

        return await AmqpQueue.connect(url)
    raise SettingsError(
        f"DAM_QUEUE_URL has the scheme {parts.scheme!r}; it must be sqlite:///file or amqp(s)://…"
    )
