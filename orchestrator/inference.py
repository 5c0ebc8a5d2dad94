"""The Bento as the orchestrator sees it: a caption or an embedding for a picture, or one of our errors.

Called by `enriching` for every picture and by `outages` to see whether it is back. It waits out overload, but
never retries anything else: that is `decisions`' business. Nothing it returns is unchecked.
"""

from __future__ import annotations

import asyncio
import io
import math
import random
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp

from dam import routes
from dam.access.showing import bearer
from dam.errors import InferenceUnavailableError
from orchestrator.answers import Answer
from orchestrator.errors import BentoBusyError, BentoDownError, BentoLostError

if TYPE_CHECKING:
    from types import TracebackType

    from orchestrator.settings import OrchestratorSettings

_PROBE_TIMEOUT_S: Final = 5.0
_CONNECT_TIMEOUT_S: Final = 5.0
_KEEPALIVE_S: Final = 2.0  # shorter than uvicorn's 5, so that no request goes out on a connection just closed
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 10.0
_UNREACHED: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_NORM_TOLERANCE: Final = 1e-3
_REFUSED_US: Final = frozenset({401, 403, 404, 405, 407})
_BUSY: Final = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Caption:
    """`made_by` is `model@revision`."""

    text: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Embedding:
    """A vector of length 1."""

    values: list[float]
    model: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent of a picture."""

    data: bytes
    mime_type: str


class Bento:
    """An HTTP client of the inference service, for many tasks at once; open inside its context."""

    def __init__(self, settings: OrchestratorSettings) -> None:
        self._settings = settings
        self.url = settings.bento_url.rstrip("/")

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=2 * self._settings.prefetch + 1, keepalive_timeout=_KEEPALIVE_S
            ),
            timeout=aiohttp.ClientTimeout(
                total=None,
                sock_connect=_CONNECT_TIMEOUT_S,
                sock_read=self._settings.bento_timeout_s,
            ),
            headers={"Accept": "application/json", **bearer(self._settings.bento_token)},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ping(self) -> None:
        """Raise `BentoDownError`, with its reason, unless it is ready now."""
        timeout = aiohttp.ClientTimeout(_PROBE_TIMEOUT_S)
        try:
            async with self._client.get(self.url + routes.READY, timeout=timeout) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BentoDownError(f"The Bento at {self.url} does not answer ({_name(error)}).") from error
        if status != HTTPStatus.OK:
            raise BentoDownError(f"The Bento at {self.url} is not ready (status {status}).")

    async def caption(self, picture: Sent) -> Caption:
        """One sentence on the picture. Raises InferenceError or InferenceUnavailableError."""
        body = await self._ask(routes.CAPTION, picture)
        text = body.get("caption")
        if not isinstance(text, str):
            raise self._nonsense(routes.CAPTION, "it has no caption")
        return Caption(text, self._maker(routes.CAPTION, body))

    async def embed(self, picture: Sent) -> Embedding:
        """The picture's vector. Raises InferenceError or InferenceUnavailableError."""
        body = await self._ask(routes.EMBED, picture)
        values = body.get("embedding")
        if not isinstance(values, list) or not values or len(values) != body.get("dim"):
            raise self._nonsense(routes.EMBED, "the vector's length is not its `dim`")
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            raise self._nonsense(routes.EMBED, "the vector holds what is not a finite number")
        if abs(math.hypot(*values) - 1) > _NORM_TOLERANCE:
            raise self._nonsense(routes.EMBED, f"the vector's length is {math.hypot(*values):.4f}, not 1")
        maker = self._maker(routes.EMBED, body)
        return Embedding([float(value) for value in values], str(body["model"]), maker)

    def _maker(self, route: str, body: dict[str, Any]) -> str:
        """`model@revision`, as it stands in the catalogue."""
        model, revision = body.get("model"), body.get("revision")
        if not isinstance(model, str) or not model:
            raise self._nonsense(route, "it does not name its model")
        return f"{model}@{revision}" if revision and "@" not in model else model

    def _nonsense(self, route: str, what: str) -> InferenceUnavailableError:
        return InferenceUnavailableError(f"The Bento's answer to {route} makes no sense: {what}.")

    async def _ask(self, route: str, picture: Sent) -> dict[str, Any]:
        """Ask until it is not busy any more, or patience ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.bento_patience_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await self._ask_once(route, picture)
            except BentoBusyError as error:
                # Everybody was refused at the same moment: spread the return.
                wait = (error.retry_after or pause) * random.uniform(1, 1.5)  # noqa: S311 - no secret
                if loop.time() + wait > deadline:
                    raise
                await asyncio.sleep(wait)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def _ask_once(self, route: str, picture: Sent) -> dict[str, Any]:
        # As a file it goes out in small pieces; as bytes the whole of it would lie in the transport's buffer.
        form = aiohttp.FormData()
        form.add_field("image", io.BytesIO(picture.data), filename="image", content_type=picture.mime_type)
        try:
            async with self._client.post(self.url + route, data=form, allow_redirects=False) as response:
                answer = Answer(response.status, response.headers, await response.read())
        except _UNREACHED as error:
            raise BentoDownError(f"The Bento at {self.url} cannot be reached ({_name(error)}).") from error
        except TimeoutError as error:
            await self.ping()
            raise InferenceUnavailableError(
                f"The Bento did not answer {route} in time, although it is ready."
            ) from error
        except aiohttp.ClientError as error:
            raise BentoLostError(
                f"The connection to the Bento broke while it worked on {route} ({_name(error)})."
            ) from error
        return await self._read(route, answer)

    async def _read(self, route: str, answer: Answer) -> dict[str, Any]:
        status = answer.status
        if answer.is_of(200):
            return self._parse(route, answer)
        if status in _BUSY:
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                await self.ping()
            raise BentoBusyError(f"The Bento is busy ({route}: status {status}).", answer.retry_after())
        if status in _REFUSED_US or answer.is_of(300):
            raise BentoDownError(
                f"{self.url}{route} answers with status {status}: that is not our Bento, or it wants another "
                "token. Check DAM_BENTO_URL and DAM_BENTO_TOKEN."
            )
        if answer.is_of(400):
            raise answer.refusal()
        await self.ping()
        raise InferenceUnavailableError(f"The Bento failed at {route} (status {status}).")

    def _parse(self, route: str, answer: Answer) -> dict[str, Any]:
        """The body; another server's is no job's fault."""
        body = answer.parse()
        if body is None:
            raise BentoDownError(
                f"{self.url}{route} answers with what is no JSON object: that is not our Bento. Check "
                "DAM_BENTO_URL."
            )
        return body


def _name(error: Exception) -> str:
    """Some errors have no text."""
    return str(error) or type(error).__name__
