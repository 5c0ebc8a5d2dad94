"""Reads a multipart body part by part while it arrives: nothing is spooled, one network chunk is in memory.

The reader pulls: the next chunk is asked for only when the last has been used up, so that a slow bucket slows
the client down (TCP) and memory stays flat. `upload` reads parts one after the other; whatever it leaves of a
part is skipped. Knows nothing of assets.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from ingest_api import refusals
from ingest_api.names import sent_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MAX_HEADERS: Final = 16
_MAX_HEADER_BYTES: Final = 8192


class _End:
    """The current part is complete."""


_Event = bytes | dict[bytes, bytes] | _End
"""Bytes of a part; the headers of a new part, by lower-case name; or its end."""


class Part:
    """One part of the form. `filename` is as sent (None: not a file)."""

    def __init__(self, body: MultipartBody, headers: dict[bytes, bytes]) -> None:
        self._body = body
        self.filename = sent_name(headers.get(b"content-disposition", b""))

    def chunks(self) -> AsyncIterator[bytes]:
        """The part's bytes, once; ends at its end. Raises `RefusalError` where the body is broken."""
        return self._body.part_chunks()


class MultipartBody:
    """The body of one request.

    Raises:
        RefusalError: from the constructor and every iteration: not multipart, or a broken body.
    """

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        media_type, options = parse_options_header(content_type.encode("latin-1", errors="replace"))
        boundary = options.get(b"boundary")
        if media_type != b"multipart/form-data" or not boundary:
            raise refusals.not_multipart(content_type)
        self._chunks = chunks
        self._events: deque[_Event] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = bytearray(), bytearray()
        self._complete = False
        self._in_part = False
        try:
            self._parser = self._make_parser(boundary)
        except FormParserError as error:
            raise refusals.bad_multipart(str(error)) from error

    def _make_parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": lambda: self._events.append(dict(self._headers)),
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(_End()),
                "on_end": self._on_end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )

    def _on_header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _on_end(self) -> None:
        self._complete = True

    async def parts(self) -> AsyncIterator[Part]:
        """The parts in the order sent. What the caller left unread of one is skipped before the next."""
        while (event := await self._next()) is not None:
            if isinstance(event, dict):
                self._in_part = True
                yield Part(self, event)
                async for _ in self.part_chunks():
                    pass

    async def part_chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the current part that were not read yet."""
        while self._in_part:
            event = await self._next()
            if isinstance(event, bytes):
                yield event
            else:
                self._in_part = False

    async def _next(self) -> _Event | None:
        while not self._events:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                if not self._complete:
                    raise refusals.bad_multipart("it ends before its closing boundary")
                return None
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise refusals.bad_multipart(str(error)) from error
        return self._events.popleft()
