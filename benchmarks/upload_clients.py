"""Clients of `POST /upload` for `upload`. They share its machine, so they cost as little as can be.

A request is written to a kept connection as bytes that were there before; only the file's mark is its own, so
that no file is a duplicate of another.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from dam import routes
from dam.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MARK_BYTES: Final = 40
_START: Final = b"\xff\xd8"
_COMMENT: Final = b"\xff\xfe"
_JPEG: Final = b"\xff\xd8\xff\xe0"
_PIECE: Final = 256 << 10
_BOUNDARY: Final = b"benchmark-of-uploads"
_BEGIN: Final = (
    b"--" + _BOUNDARY + b'\r\ncontent-disposition: form-data; name="files"; filename="picture.jpg"\r\n'
    b"content-type: image/jpeg\r\n\r\n"
)
_END: Final = b"\r\n--" + _BOUNDARY + b"--\r\n"


class File(NamedTuple):
    """A file that is a JPEG by its first bytes: a mark of its own, and a rest that it shares with others."""

    mark: bytes
    rest: memoryview

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.mark) + len(self.rest)


def as_new(jpeg: bytes) -> File:
    """The same picture as a new content, by a comment in the file."""
    text = new_id().encode()
    comment = _COMMENT + (len(text) + 2).to_bytes(2, "big") + text
    return File(_START + comment, memoryview(jpeg)[len(_START) :])


def make_files(filler: memoryview, size: int, count: int) -> Iterator[File]:
    """So many files of this size, each with a content of its own."""
    for _ in range(count):
        yield File(_JPEG + new_id().encode(), filler[: size - MARK_BYTES])


Sender = Callable[[File], Awaitable[None]]
"""Uploads one file."""


class Pace(NamedTuple):
    """How many were taken, in which time, and with how much of the processor where that was noted."""

    files: int
    seconds: float
    cpu_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Files a second."""
        return self.files / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Of one file."""
        return self.cpu_seconds / self.files * 1000


async def keep_busy(clients: Sequence[Sender], work: Iterator[File]) -> Pace:
    """Each client takes the next file when it is done with its last; ends when all are done."""
    counter = itertools.count()

    async def run(send: Sender) -> None:
        for file in work:
            await send(file)
            next(counter)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(run(client))
    return Pace(next(counter), time.perf_counter() - started)


@dataclass
class Client:
    """One connection to the upload API: what ids it was given, and how often it was told: later."""

    url: str
    ids: list[str] = field(default_factory=list)
    refused: int = 0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def send(self, file: File) -> None:
        """Upload one file, again where it is told so. Raises RuntimeError with any other answer."""
        while True:
            status, body = await self._post(file)
            if status == HTTPStatus.ACCEPTED and "id" in (answer := json.loads(body)["files"][0]):
                self.ids.append(answer["id"])
                return
            if status not in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
                raise RuntimeError(f"The upload was answered with {status}: {body.decode(errors='replace')}")
            self.refused += 1
            await self.close()
            await asyncio.sleep(1)

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _post(self, file: File) -> tuple[int, bytes]:
        reader, writer = await self._connect()
        writer.write(self._head(file) + _BEGIN + file.mark)
        for at in range(0, len(file.rest), _PIECE):
            writer.write(file.rest[at : at + _PIECE])
            await writer.drain()
        writer.write(_END)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        return int(head.split(" ", 2)[1]), await reader.readexactly(length)

    def _head(self, file: File) -> bytes:
        length = len(_BEGIN) + file.size + len(_END)
        return (
            f"POST {routes.UPLOAD} HTTP/1.1\r\nhost: {urlsplit(self.url).netloc}\r\n"
            f"content-length: {length}\r\n"
            f"content-type: multipart/form-data; boundary={_BOUNDARY.decode()}\r\n\r\n"
        ).encode()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            parts = urlsplit(self.url)
            self._streams = await asyncio.open_connection(parts.hostname, parts.port)
        return self._streams
