"""Passes uploads on to ingest as they come: no byte is kept, and the answer is ingest's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aiohttp
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from dam import routes
from dam.access import visitors
from gallery_api import refusals

if TYPE_CHECKING:
    from starlette.requests import Request

    from gallery_api.settings import GallerySettings

_OWN: Final = frozenset(
    {"host", "connection", "keep-alive", "te", "trailer", "upgrade", "transfer-encoding", "expect"}
)
"""Headers of one connection: they are not passed on, in either direction."""
_OURS: Final = frozenset({"authorization", "cookie", "origin", "referer", "x-forwarded-proto"})
"""What told us who it is and from where; ingest is told by us, as by any program."""
_SILENCE_S: Final = 300.0
"""How long ingest may take no byte, or, when it has all of them, give no answer."""


class UploadPassing:
    """One for the whole app."""

    def __init__(self, settings: GallerySettings) -> None:
        self._settings = settings
        self._url = settings.ingest_url.rstrip("/") + routes.UPLOAD
        self._session: aiohttp.ClientSession | None = None

    async def forward(self, request: Request) -> Response:
        """Ingest's answer to this request. Raises `RefusalError` where ingest does not answer."""
        headers = [
            (key, value)
            for key, value in request.headers.items()
            if key not in _OWN | _OURS and not key.startswith("sec-")
        ]
        if visitors.current().text:
            headers.append(("authorization", f"Bearer {visitors.current().text}"))
        try:
            answer = await self._open().post(
                self._url,
                params=request.query_params.multi_items(),
                headers=headers,
                data=request.stream(),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise refusals.unavailable(
                f"The upload service does not answer ({error or type(error).__name__}). Send the files again "
                "later; that is safe."
            ) from error
        kept = {key: value for key, value in answer.headers.items() if key.lower() not in _OWN}
        return StreamingResponse(
            answer.content.iter_any(), answer.status, kept, background=BackgroundTask(_end, answer)
        )

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The connections, from the first request on: they belong to the loop that serves."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._settings.connect_timeout_s, sock_read=_SILENCE_S
                ),
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                auto_decompress=False,
            )
        return self._session


async def _end(answer: aiohttp.ClientResponse) -> None:
    answer.close()
