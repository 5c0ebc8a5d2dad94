"""Picks the job-queue adapter for a URL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dam.errors import SettingsError

if TYPE_CHECKING:
    from dam.queue.port import JobQueue
    from dam.settings import DamSettings


async def open_queue(settings: DamSettings) -> JobQueue:
    """Open the queue that `settings.queue_url` names; the caller closes it.

    Raises:
        SettingsError: an unknown scheme, or a URL that names no file or host.
        QueueUnavailableError: the broker cannot be reached, or the file not be used.
    """
    url = settings.queue_url.get_secret_value()
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        from dam.queue.sqlite import SqliteQueue  # noqa: PLC0415 - only where it is used

        return await SqliteQueue.open(file_of(url))
    if scheme in {"amqp", "amqps"}:
        from dam.queue.amqp import AmqpQueue  # noqa: PLC0415 - only where it is used

        return await AmqpQueue.connect(url)
    # The rest of the URL may hold a password: it is not repeated.
    raise SettingsError("DAM_QUEUE_URL must be sqlite:////folder/file or amqp(s)://user:password@host/vhost.")


def file_of(url: str) -> Path:
    """The absolute path in `sqlite:///…`, taken as it is written: file names may hold `%`, `?` and `#`."""
    host, slash, path = url.partition("://")[2].partition("/")
    name = path.lstrip("/")
    if host or not slash or not name:
        raise SettingsError(
            f"DAM_QUEUE_URL is {url!r}; it must be sqlite:// and an absolute path, /folder/file."
        )
    return Path("/") / name
