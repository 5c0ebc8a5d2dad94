"""Reading of request bodies: a picture or a text, from multipart or JSON, never more than the limit.

Called by `app`. The limits hold while the body streams in, so a large one is refused before it is stored,
and what is in memory never exceeds them.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from bentos import refusals

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import Request

    from bentos.bodies import Body
    from bentos.settings import BentoSettings

_MULTIPART: Final = "multipart/form-data"
_JSON: Final = "application/json"
_FIELDS: Final = 8


class _InMemoryParser(MultiPartParser):
    """Keeps parts in memory: the body's limit bounds them, and a disk would only slow them down."""

    spool_max_size = 2**31


async def read_image(request: Request, settings: BentoSettings, body: Body) -> bytes:
    """The bytes of the part `image`. Raises RefusalError."""
    if _content_type(request) != _MULTIPART:
        raise refusals.unsupported_body(refusals.HOW)
    image, _ = await _read_form(request, settings, body, refusals.HOW)
    if image is None:
        raise refusals.missing_image()
    return image


async def read_image_or_text(request: Request, settings: BentoSettings, body: Body) -> bytes | str:
    """The bytes of the part `image`, or the text of the field `text`. Raises RefusalError."""
    if _content_type(request) != _MULTIPART:
        raise refusals.unsupported_body(refusals.HOW_EITHER)
    image, text = await _read_form(request, settings, body, refusals.HOW_EITHER)
    if image is not None and text is not None:
        raise refusals.ambiguous_input()
    if image is not None:
        return image
    if text is None:
        raise refusals.missing_input()
    return _checked_text(text, settings)


async def read_text(request: Request, settings: BentoSettings, body: Body) -> str:
    """The `text` of a JSON body. Raises RefusalError."""
    return _checked_text(_text_of(await _read_bytes(request, settings, body)), settings)


def says_json(request: Request) -> bool:
    """Whether the body will be read as JSON, which holds a text."""
    return _content_type(request) == _JSON


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read_form(
    request: Request, settings: BentoSettings, body: Body, how: str
) -> tuple[bytes | None, str | None]:
    """The parts `image` and `text`, where they are there."""
    stream = _limited(request, settings, body)
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
        raise refusals.too_slow(settings.body_timeout_s) from None
    except MultiPartException as error:
        raise refusals.malformed_body(_MULTIPART, error.message, how) from error
    try:
        image, text = form.get("image"), form.get("text")
        data = await image.read() if isinstance(image, UploadFile) else None
        return data, text if isinstance(text, str) else None
    finally:
        await form.close()


async def _read_bytes(request: Request, settings: BentoSettings, body: Body) -> bytes:
    received = bytearray()
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            async for chunk in _limited(request, settings, body):
                received += chunk
    except TimeoutError:
        raise refusals.too_slow(settings.body_timeout_s) from None
    return bytes(received)


async def _limited(request: Request, settings: BentoSettings, body: Body) -> AsyncGenerator[bytes, None]:
    """The body as it comes, until it is over the limit."""
    limit = settings.max_body_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise refusals.too_large(limit)
    async for chunk in request.stream():
        body.grow(len(chunk))
        if body.size > limit:
            raise refusals.too_large(limit)
        yield chunk


def _text_of(body: bytes) -> str:
    """The `text` of a JSON body."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refusals.malformed_body("JSON", error, refusals.HOW_EITHER) from error
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise refusals.missing_input()
    return text


def _checked_text(text: str, settings: BentoSettings) -> str:
    if not text.strip():
        raise refusals.empty_text()
    if len(text) > settings.max_text_chars:
        raise refusals.text_too_long(len(text), settings.max_text_chars)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise refusals.unreadable_text()
    return text
