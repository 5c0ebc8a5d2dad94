"""Bodies that end: how large one may be, and how long it may stop coming.

FastAPI keeps a JSON body in memory and a form's file on the disk, however large, and waits for them for ever.
`app` puts this around everything. Uploads are bounded by ingest, which they are passed on to; only their
silence is told here, where it is known whose it is.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from dam import routes
from dam.problem import CONTENT_TYPE
from gallery_api.prefix import API
from gallery_api.refusals import RefusalError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gallery_api.settings import GallerySettings

_UPLOAD: Final = API + routes.UPLOAD
_FRAME_BYTES: Final = 1 << 20
"""What a form may have around its picture; every other body is smaller than a picture."""


class BoundedBodies:
    """413 for a body over its limit, 408 for one that stops; the app behind then sees its client gone."""

    def __init__(self, app: ASGIApp, settings: GallerySettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, send, self._settings)
        await self._app(scope, body.receive, body.send)


class _Body:
    """The body of one request."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: GallerySettings) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._idle_s = settings.body_idle_s
        self._most = None if scope["path"] == _UPLOAD else settings.max_picture_bytes + _FRAME_BYTES
        self._count = 0
        self._ended = self._begun = self._refused = False

    async def receive(self) -> Message:
        """The next part of the body; behind its end whatever comes, however late."""
        if self._ended:
            return await self._receive()
        try:
            async with asyncio.timeout(self._idle_s):
                message = await self._receive()
        except TimeoutError:
            return await self._refuse(_stalled(self._idle_s))
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        self._count += len(message.get("body", b""))
        if self._most is not None and self._count > self._most:
            return await self._refuse(_too_large(self._most))
        return message

    async def send(self, message: Message) -> None:
        """Nothing more once the request was refused."""
        self._begun = True
        if not self._refused:
            await self._send(message)

    async def _refuse(self, refusal: RefusalError) -> Message:
        self._ended = True
        if not self._begun:
            self._refused = True
            headers = {"Connection": "close"}
            answer = Response(refusal.problem().model_dump_json(), refusal.status, headers, CONTENT_TYPE)
            await answer(self._scope, self._receive, self._send)
        return {"type": "http.disconnect"}


def _too_large(most: int) -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"The body is larger than {most:,} bytes."
    )


def _stalled(idle_s: float) -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_TIMEOUT,
        "stalled",
        f"Nothing more of the body came for {idle_s:g} s. Send it again.",
    )
