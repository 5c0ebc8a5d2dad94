"""Reading of request bodies: a picture or a text, from multipart or JSON, never more than the limit.

Called by `app`. The limit holds while the body streams in, so a large one is refused before it is stored,
and what is in memory never exceeds it.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from bentos.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import Request

    from bentos.settings import BentoSettings

_MULTIPART: Final = "multipart/form-data"
_JSON: Final = "application/json"
_FIELDS: Final = 8
_HOW: Final = "Send multipart/form-data with a file part `image`, for example curl -F image=@photo.jpg."
_HOW_EITHER: Final = (
    "Send multipart/form-data with a file part `image` or a field `text`, or JSON such as {\"text\": \"a boat\"}."
)


class _InMemoryParser(MultiPartParser):
    """Keeps parts in memory: the body's limit bounds them, and a disk would only slow them down."""

    spool_max_size = 2**31


async def read_image(request: Request, settings: BentoSettings) -> bytes:
    """The bytes of the part `image`. Raises RefusalError."""
    if _content_type(request) != _MULTIPART:
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_body", _HOW)
    image, _ = await _read_form(request, settings)
    if image is None:
        raise RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "missing_image", f"There is no picture. {_HOW}")
    return image


async def read_image_or_text(request: Request, settings: BentoSettings) -> bytes | str:
    """The bytes of the part `image`, or the text. Raises RefusalError."""
    kind = _content_type(request)
    if kind == _JSON:
        return _checked_text(_text_of(await _read_bytes(request, settings)), settings)
    if kind != _MULTIPART:
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_body", _HOW_EITHER)
    image, text = await _read_form(request, settings)
    if image is not None and text is not None:
        raise RefusalError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "ambiguous_input", "There is a picture and a text; send one of them."
        )
    if image is not None:
        return image
    if text is None:
        raise RefusalError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "missing_input", f"There is nothing to embed. {_HOW_EITHER}"
        )
    return _checked_text(text, settings)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read_form(request: Request, settings: BentoSettings) -> tuple[bytes | None, str | None]:
    """The parts `image` and `text`, where they are there."""
    stream = _limited(request, settings)
    parser = _InMemoryParser(
        request.headers,
        stream,
        max_files=_FIELDS,
        max_fields=_FIELDS,
        max_part_size=settings.max_body_bytes,
    )
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            form = await parser.parse()
    except TimeoutError:
        raise _too_slow(settings) from None
    except (MultiPartException, ClientDisconnect, KeyError) as error:
        raise RefusalError(
            HTTPStatus.BAD_REQUEST, "malformed_body", f"The multipart body cannot be read ({error}). {_HOW}"
        ) from error
    try:
        image, text = form.get("image"), form.get("text")
        data = await image.read() if isinstance(image, UploadFile) else None
        return data, text if isinstance(text, str) else None
    finally:
        await form.close()


async def _read_bytes(request: Request, settings: BentoSettings) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            async for chunk in _limited(request, settings):
                body += chunk
    except TimeoutError:
        raise _too_slow(settings) from None
    return bytes(body)


async def _limited(request: Request, settings: BentoSettings) -> AsyncGenerator[bytes, None]:
    """The body as it comes, until it is over the limit."""
    limit = settings.max_body_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"The body is larger than {limit:,} bytes (DAM_BENTO_MAX_BODY_BYTES); send a smaller picture.",
    )


def _too_slow(settings: BentoSettings) -> RefusalError:
    return RefusalError(
        HTTPStatus.REQUEST_TIMEOUT,
        "body_timeout",
        f"The body did not arrive within {settings.body_timeout_s:g} s (DAM_BODY_TIMEOUT_S); send it again.",
    )


def _text_of(body: bytes) -> str:
    """The `text` of a JSON body."""
    try:
        content = json.loads(body)
    except ValueError as error:
        raise RefusalError(
            HTTPStatus.BAD_REQUEST, "malformed_body", f"The body is not JSON ({error}). {_HOW_EITHER}"
        ) from error
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise RefusalError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "missing_input", f"The JSON has no string `text`. {_HOW_EITHER}"
        )
    return text


def _checked_text(text: str, settings: BentoSettings) -> str:
    if not text.strip():
        raise RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "empty_text", "The text is empty; send some words.")
    if len(text) > settings.max_text_chars:
        raise RefusalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "text_too_long",
            f"The text has {len(text):,} characters; at most {settings.max_text_chars:,} are taken.",
        )
    return text
