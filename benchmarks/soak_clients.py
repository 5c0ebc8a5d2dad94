"""The clients of `soak`: some upload and wait until their picture is found, some browse and search.

A client that is told to come back later does so, as long as it is told when. Whatever else it is answered is
an error, and is counted with what it says.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from dam.ids import is_id

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from itertools import count

_LATER: Final = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_THINK_S: Final = 1.5
"""Between two looks of one reader, on average."""
_NEVER: Final = aiohttp.ClientTimeout(total=None)
_ENDED: Final = {"enriched", "failed"}
_COMMENT: Final = b"\xff\xfe"
_START: Final = b"\xff\xd8"


@dataclass
class Tally:
    """What came of everything, told by all clients together."""

    answers: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    until_found_s: list[float] = field(default_factory=list)
    took_ms: dict[str, list[float]] = field(default_factory=dict)


class Listener:
    """One stream of the gallery's events, for all uploaders."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._waiting: dict[str, asyncio.Event] = {}
        self._ended: set[str] = set()
        self._last = ""

    async def run(self, tally: Tally) -> None:
        """Listen until cancelled; a stream that breaks is taken up where it was."""
        while True:
            headers = {"Last-Event-ID": self._last} if self._last else {}
            try:
                async with self._session.get("/api/events", headers=headers, timeout=_NEVER) as stream:
                    async for line in stream.content:
                        self._take(line.decode().strip())
            except aiohttp.ClientError as error:
                tally.errors[f"/api/events: {error!r}"] += 1
            await asyncio.sleep(1)

    async def wait_for(self, asset_id: str) -> None:
        """Return once the asset is enriched, or has failed."""
        if asset_id not in self._ended:
            await self._waiting.setdefault(asset_id, asyncio.Event()).wait()

    def _take(self, line: str) -> None:
        name, _, value = line.partition(": ")
        if name == "id":
            self._last = value
        elif name == "data" and (event := json.loads(value)).get("event") in _ENDED:
            self._ended.add(event["id"])
            if waiting := self._waiting.pop(event["id"], None):
                waiting.set()


@dataclass(frozen=True, slots=True)
class Uploader:
    """Uploads one new picture after the other, each once the one before can be found."""

    session: aiohttp.ClientSession
    path: str
    pictures: Sequence[bytes]
    numbers: count[int]
    listener: Listener
    tally: Tally

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            started = time.perf_counter()
            for asset_id in await self._upload(next(self.numbers)):
                self.tally.accepted.add(asset_id)
                await self.listener.wait_for(asset_id)
                self.tally.until_found_s.append(time.perf_counter() - started)

    async def _upload(self, number: int) -> list[str]:
        picture = _mark(self.pictures[number % len(self.pictures)], number)
        form = aiohttp.FormData()
        form.add_field("files", picture, filename=f"picture-{number}.jpg")
        body = await send(self.session, "POST", self.path, self.tally, data=form)
        return [entry["id"] for entry in body["files"] if "id" in entry] if body else []


@dataclass(frozen=True, slots=True)
class Reader:
    """Looks at the gallery: pages, searches, single assets, thumbnails, figures."""

    session: aiohttp.ClientSession
    words: Sequence[str]
    tally: Tally
    chance: random.Random

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            page = await send(self.session, "GET", "/api/assets", self.tally, params={"limit": "50"})
            for asset in self.chance.sample(page["items"], min(3, len(page["items"]))) if page else []:
                await self._look_at(asset)
            query = self.chance.choice(self.words)
            await self._get("/api/search", {"q": query, "limit": "50"})
            await self._get(self.chance.choice(("/api/timeline", "/api/stats", "/api/jobs")), {})

    async def _look_at(self, asset: Mapping[str, Any]) -> None:
        await self._get(f"/api/assets/{asset['id']}", {})
        for link in list(asset["links"]["thumbnails"].values())[:1]:
            await self._get(link, {})

    async def _get(self, path: str, params: Mapping[str, str]) -> None:
        await asyncio.sleep(self.chance.expovariate(1 / _THINK_S))
        await send(self.session, "GET", path, self.tally, params=params)


async def send(
    session: aiohttp.ClientSession, method: str, path: str, tally: Tally, **options: Any
) -> dict[str, Any] | None:
    """One request. Its JSON, or None: an error, which is counted, or `later`, after waiting as told."""
    name = f"{method} {_kind_of(path)}"
    started = time.perf_counter()
    try:
        async with session.request(method, path, **options) as answer:
            body = await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        tally.errors[f"{name}: {error!r}"] += 1
        await asyncio.sleep(1)
        return None
    tally.took_ms.setdefault(name, []).append((time.perf_counter() - started) * 1000)
    tally.answers[f"{name} {answer.status}"] += 1
    if answer.status in _LATER and answer.headers.get("Retry-After", "").isdecimal():
        await asyncio.sleep(int(answer.headers["Retry-After"]))
        return None
    if answer.status >= HTTPStatus.BAD_REQUEST:
        tally.errors[f"{name} {answer.status}: {body[:200].decode(errors='replace')}"] += 1
        return None
    return dict(json.loads(body)) if answer.content_type == "application/json" else {}


def _kind_of(path: str) -> str:
    """The route of a path: `/api/assets/{id}` for each asset's."""
    return "/".join("{id}" if is_id(part) else part for part in path.split("/"))


def _mark(jpeg: bytes, number: int) -> bytes:
    """The same picture as a new content, by a comment in the file."""
    text = str(number).encode()
    return _START + _COMMENT + (len(text) + 2).to_bytes(2, "big") + text + jpeg.removeprefix(_START)
