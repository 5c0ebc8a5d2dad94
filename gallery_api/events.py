"""Server-sent events: every change of the catalogue, from its feed, to every client that listens.

An event's id is the table's version and the event's number in it, so a client that comes back goes on where
it was, at any gallery process. Each stream reads the feed for itself: a slow client holds nobody back, and
nothing is kept for it.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import structlog
from starlette.responses import StreamingResponse

from dam.catalogue.feed import VERSION, FeedUnreadableError, read_changes
from dam.catalogue.storage import TableHandle
from dam.errors import DamError
from dam.store.delta import delta_location
from gallery_api.answers.operations import Event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gallery_api.following import Follower
    from gallery_api.settings import GallerySettings

log = structlog.get_logger()

_COLUMNS: Final = ("id", "revision", "event", "status")
_ID: Final = re.compile(r"(\d{1,15})-(\d{1,9})")
_LAST: Final = 999_999_999
"""After every event of a version."""
_PING_S: Final = 15.0
_VERSIONS_AT_ONCE: Final = 64
_KEPT: Final = 256
"""Versions whose events are kept in memory: many clients listen to the same ones."""
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStreams:
    """One for the whole app."""

    def __init__(self, follower: Follower, settings: GallerySettings) -> None:
        self._follower = follower
        self._location = delta_location(settings)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="events")
        self._handle: TableHandle | None = None
        self._kept: dict[int, list[Event]] = {}
        self._reading = asyncio.Lock()
        self._stopped = asyncio.Event()

    async def stream(self, last_event_id: str | None) -> StreamingResponse:
        """Events after `last_event_id`, or from now on."""
        await self._follower.catch_up()
        match = _ID.fullmatch(last_event_id.strip()) if last_event_id else None
        version, number = (int(part) for part in match.groups()) if match else (self._follower.version, -1)
        if version > self._follower.version:  # of a catalogue that is no more: another one is here now
            told = self._tell(self._follower.version + 1, -1, first=_reset(self._follower.version))
        else:
            told = self._tell(version, number) if match else self._tell(version + 1, -1)
        return StreamingResponse(told, media_type="text/event-stream", headers=_HEADERS)

    async def stop(self) -> None:
        """End every stream; the server waits for them before it stops."""
        self._stopped.set()
        async with self._follower.changed:
            self._follower.changed.notify_all()

    async def close(self) -> None:
        """Let the table go."""
        await self.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _tell(self, version: int, number: int, first: str = "") -> AsyncIterator[str]:
        """Events of `version` after `number`, then those of every later version."""
        if number < 0:
            # An id without data is no event, but the client names it when it comes back.
            yield f"id: {version - 1}-{_LAST}\n"
        yield f"retry: 2000\n\n{first}"
        while not self._stopped.is_set():
            if self._follower.version < version:
                yield await self._wait(version)
                continue
            until = min(self._follower.version, version + _VERSIONS_AT_ONCE - 1)
            try:
                events = await self._read(version, until)
            except FeedUnreadableError:
                yield _reset(self._follower.version)
                version, number = self._follower.version + 1, -1
                continue
            except DamError as error:
                log.warning("events.failed", error=str(error))
                await asyncio.sleep(1)
                continue
            for at in range(version, until + 1):
                for counter, event in enumerate(events[at]):
                    if at > version or counter > number:
                        yield _render(f"{at}-{counter}", event)
            version, number = until + 1, -1

    async def _wait(self, version: int) -> str:
        """Until there is something to tell, or a comment that keeps the connection open."""
        try:
            async with asyncio.timeout(_PING_S), self._follower.changed:
                await self._follower.changed.wait_for(
                    lambda: self._follower.version >= version or self._stopped.is_set()
                )
        except TimeoutError:
            return ": still here\n\n"
        return ""

    async def _read(self, since: int, until: int) -> dict[int, list[Event]]:
        """The events of these versions, each in the order of ids and revisions."""
        async with self._reading:
            if any(version not in self._kept for version in range(since, until + 1)):
                loop = asyncio.get_running_loop()
                self._kept |= await loop.run_in_executor(self._thread, self._read_feed, since, until)
            found = {version: self._kept[version] for version in range(since, until + 1)}
            for version in sorted(self._kept)[:-_KEPT]:
                del self._kept[version]
            return found

    def _read_feed(self, since: int, until: int) -> dict[int, list[Event]]:
        if self._handle is None:
            self._handle = TableHandle.open(*self._location)
        self._handle.refresh()
        events: dict[int, list[Event]] = {version: [] for version in range(since, until + 1)}
        batches = read_changes(self._handle, since - 1, until, _COLUMNS)
        rows = [row for batch in batches for row in batch.to_pylist()]
        for row in sorted(rows, key=lambda row: (row[VERSION], row["id"], row["revision"])):
            events[row.pop(VERSION)].append(Event(**row))
        return events


def _render(event_id: str, event: Event) -> str:
    return f"id: {event_id}\nevent: {event.event}\ndata: {event.model_dump_json()}\n\n"


def _reset(version: int) -> str:
    """What was missed cannot be told; from this version on everything is."""
    return f"id: {version}-{_LAST}\nevent: reset\ndata: {{}}\n\n"
