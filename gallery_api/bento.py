"""The Bento as the gallery asks it: the vector of a text or a picture, and what models it has.

A search must not wait long for it: it answers in time or the search goes on without it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import numpy as np
from pydantic_core import from_json

from dam import routes
from dam.access.showing import bearer
from dam.errors import InferenceError, InferenceUnavailableError
from gallery_api.answers.operations import Models

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gallery_api.settings import GallerySettings

_CONNECT_S: Final = 1.0
_SILENT_S: Final = 5.0
_KEEPALIVE_S: Final = 2.0  # shorter than uvicorn's 5, so that no request goes out on a connection just closed
_AT_ONCE: Final = 32
_PASSING: Final = frozenset({404, 405, 408, 429})
"""Of the statuses that blame the request, those that say nothing about it."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A vector of length 1, and its maker as the catalogue names it."""

    vector: NDArray[np.float32]
    model: str


class Bento:
    """One for the whole app."""

    def __init__(self, settings: GallerySettings) -> None:
        self._settings = settings
        self._url = settings.bento_url.rstrip("/")
        self._silent_until = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def embed_text(self, text: str) -> Embedded:
        """The vector of a text. Raises `InferenceError` or `InferenceUnavailableError`.

        After one that was waited for in vain, the next ones are told so at once for a moment: who searches
        while typing would wait anew for each letter.
        """
        if time.monotonic() < self._silent_until:
            raise InferenceUnavailableError("The Bento does not answer.")
        try:
            return _read(await self._post(json={"text": text}))
        except InferenceUnavailableError as error:
            if isinstance(error.__cause__, TimeoutError):
                self._silent_until = time.monotonic() + _SILENT_S
            raise

    async def embed_picture(self, data: bytes, mime_type: str) -> Embedded:
        """The vector of a picture. Raises `InferenceError` or `InferenceUnavailableError`."""
        form = aiohttp.FormData()
        form.add_field("image", data, filename="image", content_type=mime_type)
        return _read(await self._post(data=form))

    async def describe_models(self) -> Models:
        """The Bento's `GET /models`, or why there is no answer."""
        try:
            status, body = await self._ask("GET", routes.MODELS)
        except InferenceUnavailableError as error:
            return Models(available=False, reason=str(error))
        if status != HTTPStatus.OK or not body:
            return Models(available=False, reason=f"The Bento answers with status {status}.")
        return Models(available=True, models=body)

    async def close(self) -> None:
        """Release connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, **body: Any) -> dict[str, Any]:
        status, found = await self._ask("POST", routes.EMBED, **body)
        if 400 <= status < 500 and status not in _PASSING:  # noqa: PLR2004 - it blames the request
            detail = found.get("detail") or f"status {status}"
            raise InferenceError(str(found.get("code") or "refused_by_bento"), str(detail))
        if status != HTTPStatus.OK:
            raise InferenceUnavailableError(f"The Bento answers with status {status}.")
        return found

    async def _ask(self, method: str, route: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of the answer; an empty one where it has none."""
        try:
            async with self._open().request(
                method, self._url + route, allow_redirects=False, **body
            ) as answer:
                return answer.status, _parse(await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise InferenceUnavailableError(f"The Bento does not answer ({_name(error)}).") from error

    def _open(self) -> aiohttp.ClientSession:
        """The connections, from the first request on: they belong to the loop that serves."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_AT_ONCE, keepalive_timeout=_KEEPALIVE_S),
                timeout=aiohttp.ClientTimeout(self._settings.embed_timeout_s, sock_connect=_CONNECT_S),
                headers={"Accept": "application/json", **bearer(self._settings.bento_token)},
            )
        return self._session


def _parse(text: bytes) -> dict[str, Any]:
    try:
        body = from_json(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _read(body: dict[str, Any]) -> Embedded:
    values, model, revision = body.get("embedding"), body.get("model"), body.get("revision")
    if not isinstance(values, list) or not values or not isinstance(model, str):
        raise InferenceUnavailableError("The Bento's answer makes no sense: it has no vector or no model.")
    named = f"{model}@{revision}" if revision and "@" not in model else model
    return Embedded(np.asarray(values, np.float32), named)


def _name(error: Exception) -> str:
    return str(error) or type(error).__name__
