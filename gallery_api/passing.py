"""Passes uploads on to ingest as they come: no byte is kept, and the answer is ingest's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx
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
        self._client = httpx.AsyncClient(
            base_url=settings.ingest_url,
            timeout=httpx.Timeout(_SILENCE_S, connect=settings.connect_timeout_s),
            trust_env=False,  # settings alone say where things are
        )

    async def forward(self, request: Request) -> Response:
        """Ingest's answer to this request. Raises `RefusalError` where ingest does not answer."""
        headers = [
            (key, value)
            for key, value in request.headers.items()
            if key not in _OWN | _OURS and not key.startswith("sec-")
        ]
        if visitors.current().text:
            headers.append(("authorization", f"Bearer {visitors.current().text}"))
        passed = self._client.build_request(
            "POST", routes.UPLOAD, headers=headers, content=request.stream(), params=request.query_params
        )
        try:
            answer = await self._client.send(passed, stream=True)
        except httpx.HTTPError as error:
            raise refusals.unavailable(
                f"The upload service does not answer ({error or type(error).__name__}). Send the files again "
                "later; that is safe."
            ) from error
        kept = {key: value for key, value in answer.headers.items() if key not in _OWN}
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose)
        )

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()
