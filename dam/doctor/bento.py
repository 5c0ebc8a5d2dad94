"""The Bento: whether it is there, which models it has, and what they say of its own sample picture."""

from __future__ import annotations

import asyncio
import math
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from dam import routes
from dam.access.showing import bearer
from dam.doctor.findings import Finding, Tell, Verdict
from dam.errors import InferenceUnavailableError

if TYPE_CHECKING:
    from dam.doctor.settings import DoctorSettings

_CONNECT_S: Final = 5.0
_NORM_TOLERANCE: Final = 1e-3
_NOT_OURS: Final = "Start our Bento there (`bentoml serve`), or correct DAM_BENTO_URL."
_NOT_ADMITTED: Final = (
    "Set DAM_BENTO_TOKEN to the text of a token whose entry is in the Bento's DAM_BENTO_TOKENS; "
    "`dam token create NAME --bento` makes both."
)
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class _OddAnswerError(InferenceUnavailableError):
    """An answer, but not the one that our Bento gives."""


class _NotAdmittedError(InferenceUnavailableError):
    """Our Bento, and it does not let us in."""


async def check_bento(settings: DoctorSettings, tell: Tell) -> None:
    """Findings `bento`, `bento.caption` and `bento.embed`."""
    url = settings.bento_url.rstrip("/")
    timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_S)
    async with aiohttp.ClientSession(timeout=timeout, headers=bearer(settings.bento_token)) as session:
        bento = _Bento(session, url)
        try:
            models = await bento.find_models()
        except _NotAdmittedError as error:
            tell(Finding("bento", Verdict.BROKEN, str(error), _NOT_ADMITTED))
            return
        except _OddAnswerError as error:
            tell(Finding("bento", Verdict.BROKEN, str(error), _NOT_OURS))
            return
        except InferenceUnavailableError as error:
            remedy = "Start it (`bentoml serve`) or wait until its models are loaded; its log says more."
            tell(Finding("bento", Verdict.BROKEN, str(error), remedy))
            return
        names = " and ".join(f"{part['model']}@{part.get('revision')}" for part in models)
        tell(Finding("bento", Verdict.WELL, f"{url} answers with {names}."))
        picture = await bento.get_sample()
        calls = (_try_caption(bento, picture), _try_embed(bento, picture, models[1].get("dim")))
        for finding in await asyncio.gather(*calls):
            tell(finding)


class _Bento:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def find_models(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Captioner and embedder, each with its `model`."""
        answer = await self._ask("GET", routes.MODELS)
        parts = (answer.get("caption"), answer.get("embedding"))
        if not all(isinstance(part, dict) and part.get("model") for part in parts):
            raise InferenceUnavailableError(
                f"The Bento at {self._url} has no model to caption or none to embed with: its "
                f"{routes.MODELS} names none. See its DAM_MODEL_SET and DAM_MODELS_DIR."
            )
        caption, embedding = parts
        return caption, embedding  # type: ignore[return-value]  # both are dicts by now

    async def get_sample(self) -> bytes:
        """The picture that every Bento of ours brings."""
        async with self._session.get(self._url + routes.SAMPLE) as answer:
            return await answer.read()

    async def infer(self, route: str, picture: bytes) -> dict[str, Any]:
        """What it says of a picture."""
        form = aiohttp.FormData()
        form.add_field("image", picture, filename="sample.png", content_type="image/png")
        return await self._ask("POST", route, form)

    async def _ask(self, method: str, route: str, form: aiohttp.FormData | None = None) -> dict[str, Any]:
        where = f"{self._url}{route}"
        try:
            async with self._session.request(method, where, data=form, allow_redirects=False) as answer:
                body = await _read_json(answer)
        except (aiohttp.ClientError, OSError) as error:
            raise InferenceUnavailableError(f"The Bento cannot be reached at {where}: {error}.") from error
        if answer.status in _BUSY:
            reason = (body or {}).get("detail") or "it gave no reason"
            raise InferenceUnavailableError(f"The Bento at {where} is not ready ({answer.status}): {reason}")
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and body and "code" in body:
            raise _NotAdmittedError(f"The Bento at {where} does not let us in: {body.get('detail')}")
        if body is None or (method == "GET" and not answer.ok):
            raise _OddAnswerError(f"{where} answers with status {answer.status}, not as our Bento does.")
        if not answer.ok:
            raise InferenceUnavailableError(
                f"{where} answers with status {answer.status}: {body.get('detail', 'it gave no reason')}"
            )
        return body


async def _read_json(answer: aiohttp.ClientResponse) -> dict[str, Any] | None:
    """The body where it is a JSON object."""
    try:
        body = await answer.json(content_type=None)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


async def _try_caption(bento: _Bento, picture: bytes) -> Finding:
    started = time.monotonic()
    try:
        caption = (await bento.infer(routes.CAPTION, picture)).get("caption")
    except InferenceUnavailableError as error:
        return _broken("bento.caption", str(error))
    if not isinstance(caption, str) or not caption:
        return _broken("bento.caption", "Its answer about the sample picture has no caption.")
    return Finding("bento.caption", Verdict.WELL, f"“{caption}” after {time.monotonic() - started:.2f} s.")


async def _try_embed(bento: _Bento, picture: bytes, dim: object) -> Finding:
    started = time.monotonic()
    try:
        numbers = (await bento.infer(routes.EMBED, picture)).get("embedding")
    except InferenceUnavailableError as error:
        return _broken("bento.embed", str(error))
    if not isinstance(numbers, list) or len(numbers) != dim or not _has_length_1(numbers):
        return _broken("bento.embed", f"Its answer about the sample picture is no vector of {dim} numbers.")
    return Finding("bento.embed", Verdict.WELL, f"{dim} numbers after {time.monotonic() - started:.2f} s.")


def _has_length_1(numbers: list[Any]) -> bool:
    is_number = all(isinstance(number, int | float) for number in numbers)
    return is_number and abs(math.hypot(*numbers) - 1) < _NORM_TOLERANCE


def _broken(check: str, told: str) -> Finding:
    remedy = (
        "See the Bento's log; where another model set should be in use, set DAM_MODEL_SET and start it anew."
    )
    return Finding(check, Verdict.BROKEN, told, remedy)
