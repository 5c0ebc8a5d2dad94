"""One connection to the broker, opened when it is needed and replaced when it has died.

Used by `dam.queue.amqp` alone. aio-pika's own `connect_robust` is not used: it restores channels and
consumers behind the caller's back, waits without bound while the broker is away, and hides which deliveries
were cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import aio_pika
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from aiormq.exceptions import (
    AMQPConnectionError,
    AMQPError,
    ConnectionNotAllowed,
    DeliveryError,
    InvalidFrameError,
    ProbableAuthenticationError,
)
from yarl import URL

from dam.errors import QueueUnavailableError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aio_pika.abc import AbstractConnection

HEARTBEAT_S: Final = 20
CONNECT_TIMEOUT_S: Final = 6.0
CLOSE_TIMEOUT_S: Final = 5.0


def parse_url(url: str) -> URL:
    """The broker's URL, with a heartbeat.

    Raises:
        SettingsError: it names no host, or a wrong port. The message never holds the URL: it has a password.
    """
    try:
        parsed = URL(url)
        usable = bool(parsed.host) and parsed.scheme in {"amqp", "amqps"} and parsed.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            "DAM_QUEUE_URL is no AMQP URL; it must be amqp(s)://user:password@host:port/vhost, with special "
            "characters in the password written as %XX."
        ) from None
    return parsed if "heartbeat" in parsed.query else parsed.update_query(heartbeat=HEARTBEAT_S)


def place_of(url: URL) -> str:
    """The URL for people: no user, no password, no query."""
    return str(url.with_user(None).with_query(None))


@contextmanager
def told_as_unavailable(place: str, doing: str) -> Iterator[None]:
    """Tell everything that a lost or refusing broker causes as `QueueUnavailableError`."""
    try:
        with cancelled_only_by_us():
            yield
    except (TimeoutError, *CONNECTION_EXCEPTIONS) as error:
        raise QueueUnavailableError(f"{doing} {place} failed: {_reason(error)}.") from error


@contextmanager
def cancelled_only_by_us() -> Iterator[None]:
    """Tell a lost connection from a cancellation.

    aiormq ends what waits on a dead connection with CancelledError, or with a bare Exception made of one; a
    real one has been asked for on the current task, and is never swallowed.
    """
    try:
        yield
    except (asyncio.CancelledError, Exception) as error:
        if not _was_cut_off(error):
            raise
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise asyncio.CancelledError from error
        raise AMQPConnectionError("the connection was lost") from error


def _was_cut_off(error: BaseException) -> bool:
    bare = type(error) is Exception and isinstance(error.__cause__, asyncio.CancelledError)
    return bare or isinstance(error, asyncio.CancelledError)


@contextmanager
def lost_or_late_alike() -> Iterator[None]:
    """For what is closed or cancelled at the broker: where that fails, the broker does it by itself."""
    with contextlib.suppress(TimeoutError, *CONNECTION_EXCEPTIONS), cancelled_only_by_us():
        yield


def _reason(error: BaseException) -> str:
    match error:
        case TimeoutError():
            reason = "no answer in time (the broker is down, overloaded, or out of memory or disk)"
        case ProbableAuthenticationError():
            reason = "the user name or the password was refused"
        case ConnectionNotAllowed():
            reason = f"the broker does not allow it ({error})"
        case InvalidFrameError() if "Connection.OpenOk" in str(error):  # aiormq drops the broker's own words
            reason = "the broker has no such vhost, or this user may not use it"
        case DeliveryError():
            reason = "the broker refused the message (a queue is over its limit, or missing)"
        case AMQPError() | OSError():
            reason = str(error).rstrip(".") or type(error).__name__
        case _:
            reason = "the connection was lost"
    return reason


class _Connection(aio_pika.Connection):
    """Closed by its link, never by the collector of garbage.

    aio-pika's would be, in whatever thread that runs: a coroutine that nobody awaits. It was met with
    connections that were given up before they were open.
    """

    def __del__(self) -> None:
        """Nothing is left to do."""


class Link:
    """A connection with one purpose. Callers bound their waiting themselves."""

    def __init__(self, url: URL, purpose: str) -> None:
        self._url = url
        self._purpose = purpose
        self._connection: AbstractConnection | None = None
        self._lock = asyncio.Lock()
        self._dropping: set[asyncio.Task[None]] = set()
        self._closed = False

    async def connection(self) -> AbstractConnection:
        """The open connection, or a new one."""
        async with self._lock:
            if self._closed:
                raise QueueUnavailableError("The queue has been closed by this process.")
            if self._connection is None or self._connection.is_closed or self._is_dead(self._connection):
                self.drop()
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    self._connection = await aio_pika.connect(
                        self._url,
                        client_properties={"connection_name": f"dam {self._purpose}"},
                        connection_class=_Connection,
                    )
            return self._connection

    @staticmethod
    def _is_dead(connection: AbstractConnection) -> bool:
        """aio-pika notices a lost connection some turns of the loop after aiormq does."""
        transport = connection.transport
        return transport is None or transport.connection.is_closed

    def drop(self) -> None:
        """Forget this connection, which no longer answers; it is closed in the background."""
        if self._connection is not None:
            task = asyncio.create_task(_close(self._connection))
            self._dropping.add(task)
            task.add_done_callback(self._dropping.discard)
            self._connection = None

    async def close(self) -> None:
        """Close, within `CLOSE_TIMEOUT_S`."""
        self._closed = True
        self.drop()
        if self._dropping:
            await asyncio.wait(self._dropping)


async def _close(connection: AbstractConnection) -> None:
    with lost_or_late_alike():
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await connection.close()
