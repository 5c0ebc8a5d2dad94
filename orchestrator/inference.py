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

import httpx

from dam import routes
from dam.access.showing import bearer
from dam.errors import InferenceError, InferenceUnavailableError
from orchestrator.errors import BentoBusyError, BentoDownError, BentoLostError

if TYPE_CHECKING:
    from types import TracebackType

    from orchestrator.settings import OrchestratorSettings

_PROBE_TIMEOUT_S: Final = 5.0
_CONNECT_TIMEOUT_S: Final = 5.0
_KEEPALIVE_S: Final = 2.0  # shorter than uvicorn's 5, so that no request goes out on a connection just closed
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 10.0
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
    """An HTTP client of the inference service, safe to use from many tasks at once."""

    def __init__(self, settings: OrchestratorSettings) -> None:
        self._patience_s = settings.bento_patience_s
        self.url = settings.bento_url
        self._client = httpx.AsyncClient(
            base_url=settings.bento_url,
            timeout=httpx.Timeout(settings.bento_timeout_s, connect=_CONNECT_TIMEOUT_S),
            limits=httpx.Limits(
                max_connections=2 * settings.prefetch + 1,
                max_keepalive_connections=2 * settings.prefetch,
                keepalive_expiry=_KEEPALIVE_S,
            ),
            headers=bearer(settings.bento_token),
            trust_env=False,  # settings alone say where things are
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def ping(self) -> None:
        """Raise `BentoDownError`, with its reason, unless it is ready now."""
        try:
            answer = await self._client.get(routes.READY, timeout=_PROBE_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise BentoDownError(f"The Bento at {self.url} does not answer ({_name(error)}).") from error
        if not answer.is_success:
            raise BentoDownError(f"The Bento at {self.url} is not ready (status {answer.status_code}).")

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
        deadline = loop.time() + self._patience_s
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
        files = {"image": ("image", io.BytesIO(picture.data), picture.mime_type)}
        try:
            answer = await self._client.post(route, files=files, headers={"Accept": "application/json"})
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise BentoDownError(f"The Bento at {self.url} cannot be reached ({_name(error)}).") from error
        except httpx.TimeoutException as error:
            await self.ping()
            raise InferenceUnavailableError(
                f"The Bento did not answer {route} in time, although it is ready."
            ) from error
        except httpx.HTTPError as error:
            raise BentoLostError(
                f"The connection to the Bento broke while it worked on {route} ({_name(error)})."
            ) from error
        return await self._read(route, answer)

    async def _read(self, route: str, answer: httpx.Response) -> dict[str, Any]:
        status = answer.status_code
        if answer.is_success:
            return self._parse(route, answer)
        if status in _BUSY:
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                await self.ping()
            raise BentoBusyError(f"The Bento is busy ({route}: status {status}).", _retry_after(answer))
        if status in _REFUSED_US or answer.is_redirect:
            raise BentoDownError(
                f"{self.url}{route} answers with status {status}: that is not our Bento, or it wants another "
                "token. Check DAM_BENTO_URL and DAM_BENTO_TOKEN."
            )
        if answer.is_client_error:
            raise _refusal(answer)
        await self.ping()
        raise InferenceUnavailableError(f"The Bento failed at {route} (status {status}).")

    def _parse(self, route: str, answer: httpx.Response) -> dict[str, Any]:
        """The body; another server's is no job's fault."""
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise BentoDownError(
                f"{self.url}{route} answers with what is no JSON object: that is not our Bento. Check "
                "DAM_BENTO_URL."
            )
        return body


def _refusal(answer: httpx.Response) -> InferenceError:
    """A 4xx as the error of this picture; its problem body names code and reason."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    problem = body if isinstance(body, dict) else {}
    detail = problem.get("detail") or f"The Bento refused the picture (status {answer.status_code})."
    return InferenceError(str(problem.get("code") or "refused_by_bento"), str(detail))


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds; the form with a date is not used by our services."""
    try:
        return max(0.0, float(answer.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def _name(error: Exception) -> str:
    """Httpx's errors often have no text."""
    return str(error) or type(error).__name__
