"""HTTP/1.1 whose heads end: a request's line and headers, and what a client sends around its body.

Uvicorn's parser keeps every header until the last has come, however many come and however slowly. Given to
uvicorn by the entry points of the HTTP services. It must know nothing of routes or bodies.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dam.problem import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

MAX_BYTES: Final = 64 * 1024
MAX_S: Final = 30.0


class BoundedHeads(HttpToolsProtocol):
    """431 once more than `MAX_BYTES` in a row end no head and are no body; 408 for a head after `MAX_S`."""

    _loose = 0
    _has_progressed = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._has_progressed = False
        super().data_received(data)
        self._loose = 0 if self._has_progressed else self._loose + len(data)
        if self._loose > MAX_BYTES and not self.transport.is_closing():
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self._refuse(status, "head_too_large", f"The headers are larger than {MAX_BYTES:,} bytes.")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        if self._deadline is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """It has ended."""
        self._has_progressed = True
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Bytes that the app bounds."""
        self._has_progressed = True
        if self.cycle is not None:
            _spare_copies(self.cycle)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """The frame around some bytes of the body."""
        self._has_progressed = True

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(MAX_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        detail = f"No whole request head came within {MAX_S:g} s."
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "head_timeout", detail)

    def _refuse(self, status: HTTPStatus, code: str, detail: str) -> None:
        """Answer where no answer has begun, and close."""
        if self.cycle is None or self.cycle.response_complete:
            problem = Problem(title=status.phrase, status=status, code=code, detail=detail)
            body = json.dumps(problem.model_dump()).encode()
            head = (
                f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {CONTENT_TYPE}\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()


def _spare_copies(cycle: RequestResponseCycle) -> None:
    """Have uvicorn hand a lone piece of a body on as it is: it would copy it into a buffer and out of it."""
    held: bytes | bytearray = cycle.body
    if not held:
        cycle.body = b""  # type: ignore[assignment]  # what is added to no bytes stays the same object
    elif isinstance(held, bytes):
        cycle.body = bytearray(held)  # to bytes, each of many small pieces would cost a copy of all before
