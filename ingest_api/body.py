"""The body of one upload request: read within its limits, and let run out after an early answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from ingest_api import refusals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic import BaseModel
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from ingest_api.settings import IngestSettings


class RequestBody:
    """The body's bytes as they come; nothing is kept."""

    def __init__(self, request: Request, settings: IngestSettings) -> None:
        self._stream = request.stream()
        self._settings = settings
        self._received = 0
        self.has_ended = False
        self._stalled = False
        self.declared = int(request.headers.get("content-length", settings.max_request_bytes))
        """Bytes that the client says will come; the limit where it does not say."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes.

        Raises:
            RefusalError: too many of them, or none for too long.
            ClientDisconnect: the client went away.
        """
        limit = self._settings.max_request_bytes
        if self.declared > limit:
            raise refusals.request_too_large(limit)
        while (chunk := await self._next()) is not None:
            self._received += len(chunk)
            if self._received > limit:
                raise refusals.request_too_large(limit)
            if chunk:
                yield chunk

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(self._settings.body_idle_s):
                chunk = await anext(self._stream, None)
        except TimeoutError as error:
            self._stalled = True
            raise refusals.stalled(self._settings.body_idle_s) from error
        if chunk is None:
            self.has_ended = True
        return chunk

    async def run_out(self) -> None:
        """Read and drop what still comes, for a bounded time.

        Closing a connection on which bytes still arrive resets it, and the client would lose our answer.
        """
        with contextlib.suppress(TimeoutError, ClientDisconnect, refusals.RefusalError):
            async with asyncio.timeout(self._settings.linger_s):
                while not (self.has_ended or self._stalled):
                    await self._next()


class BodyAnswer(JSONResponse):
    """The answer to a request with a body.

    Where that was not read to its end, the answer goes out, the rest runs out, and the connection is closed.
    """

    def __init__(
        self,
        answer: BaseModel,
        status: int,
        headers: dict[str, str],
        body: RequestBody,
        media_type: str = "application/json",
    ) -> None:
        if not body.has_ended:
            headers = headers | {"Connection": "close"}
        super().__init__(answer.model_dump(mode="json", exclude_none=True), status, headers, media_type)
        self._rest = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI)."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await self._rest.run_out()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
