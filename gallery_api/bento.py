"""The Bento as the gallery asks it: the vector of a text or a picture, and what models it has.

A search must not wait long for it: it answers in time or the search goes on without it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx
import numpy as np

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


@dataclass(frozen=True, slots=True)
class Embedded:
    """A vector of length 1, and its maker as the catalogue names it."""

    vector: NDArray[np.float32]
    model: str


class Bento:
    """One for the whole app."""

    def __init__(self, settings: GallerySettings) -> None:
        self._silent_until = 0.0
        self._client = httpx.AsyncClient(
            base_url=settings.bento_url,
            timeout=httpx.Timeout(settings.embed_timeout_s, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=32, keepalive_expiry=_KEEPALIVE_S),
            headers=bearer(settings.bento_token),
            trust_env=False,  # settings alone say where things are
        )

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
            if isinstance(error.__cause__, httpx.TimeoutException):
                self._silent_until = time.monotonic() + _SILENT_S
            raise

    async def embed_picture(self, data: bytes, mime_type: str) -> Embedded:
        """The vector of a picture. Raises `InferenceError` or `InferenceUnavailableError`."""
        return _read(await self._post(files={"image": ("image", data, mime_type)}))

    async def describe_models(self) -> Models:
        """The Bento's `GET /models`, or why there is no answer."""
        try:
            answer = await self._client.get(routes.MODELS)
            answer.raise_for_status()
            return Models(available=True, models=answer.json())
        except (httpx.HTTPError, ValueError) as error:
            return Models(available=False, reason=f"The Bento does not answer ({_name(error)}).")

    async def close(self) -> None:
        """Release connections."""
        await self._client.aclose()

    async def _post(self, **body: Any) -> dict[str, Any]:
        try:
            answer = await self._client.post(routes.EMBED, headers={"Accept": "application/json"}, **body)
        except httpx.HTTPError as error:
            raise InferenceUnavailableError(f"The Bento does not answer ({_name(error)}).") from error
        found = _parse(answer)
        if answer.is_client_error and answer.status_code not in {404, 405, 408, 429}:
            detail = found.get("detail") or f"status {answer.status_code}"
            raise InferenceError(str(found.get("code") or "refused_by_bento"), str(detail))
        if not answer.is_success:
            raise InferenceUnavailableError(f"The Bento answers with status {answer.status_code}.")
        return found


def _parse(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
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
