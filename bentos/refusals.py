"""Every 4xx and 5xx of the Bento: one exception, one constructor for each reason, and what becomes of errors.

Raised by `intake` and `app`, answered by `app` as problem+json, quoted by `openapi`. The status, code and
sentence of each reason are stated here alone; only the errors of pictures and lanes bring their sentences.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi.responses import Response
from starlette.exceptions import HTTPException

from bentos.batching import OverloadedError
from dam import problem
from dam.errors import PictureError
from dam.problem import Problem

if TYPE_CHECKING:
    from fastapi import Request

HOW: Final = "Send multipart/form-data with a file part `image`, for example curl -F image=@photo.jpg."
HOW_EITHER: Final = (
    'Send multipart/form-data with a file part `image` or a field `text`, or JSON such as {"text": "a boat"}.'
)
_LOADING_RETRY_S: Final = 5
_OVERFULL_RETRY_S: Final = 5
_PICTURE_STATUS: Final = {
    "not_an_image": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported_format": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "too_many_pixels": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "truncated": HTTPStatus.BAD_REQUEST,
    "broken_image": HTTPStatus.BAD_REQUEST,
}


class RefusalError(Exception):
    """A request that is not answered with a result; `retry_after_s` where trying again may help."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s

    def problem(self) -> Problem:
        """As RFC 9457 wants it."""
        return Problem(title=self.status.phrase, status=self.status, code=self.code, detail=str(self))


def unsupported_body(how: str) -> RefusalError:
    """A content type that is neither a form nor, where that is taken, JSON."""
    return RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_body", how)


def missing_image() -> RefusalError:
    """A form without a picture, where only a picture is taken."""
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "missing_image", f"There is no picture. {HOW}")


def missing_input() -> RefusalError:
    """Neither a picture nor a text."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "missing_input", f"There is nothing to embed. {HOW_EITHER}"
    )


def ambiguous_input() -> RefusalError:
    """A picture and a text."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "ambiguous_input",
        "There is a picture and a text; send one of them.",
    )


def empty_text() -> RefusalError:
    """A text of nothing but space."""
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "empty_text", "The text is empty; send some words.")


def unreadable_text() -> RefusalError:
    """Half a surrogate pair: no Unicode text has one."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unreadable_text",
        "The text holds half of a surrogate pair, which is no character; send valid Unicode.",
    )


def text_too_long(length: int, limit: int) -> RefusalError:
    """More characters than are taken."""
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "text_too_long",
        f"The text has {length:,} characters; at most {limit:,} are taken (DAM_MAX_TEXT_CHARS).",
    )


def malformed_body(kind: str, reason: object, how: str) -> RefusalError:
    """A body that is not what its content type says."""
    return RefusalError(
        HTTPStatus.BAD_REQUEST,
        "malformed_body",
        f"The body cannot be read as {kind} ({str(reason).rstrip('.')}). {how}",
    )


def too_large(limit: int) -> RefusalError:
    """More bytes than are taken."""
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_large",
        f"The body is larger than {limit:,} bytes (DAM_BENTO_MAX_BODY_BYTES); send a smaller picture.",
    )


def too_slow(limit_s: float) -> RefusalError:
    """A body that stopped coming."""
    return RefusalError(
        HTTPStatus.REQUEST_TIMEOUT,
        "body_timeout",
        f"The body did not arrive within {limit_s:g} s (DAM_BODY_TIMEOUT_S); send it again.",
    )


def overfull() -> RefusalError:
    """The bodies of all requests together are too large."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "overloaded",
        "Too many large bodies are in memory (DAM_MAX_BODIES_BYTES); try again in a moment.",
        _OVERFULL_RETRY_S,
    )


def loading() -> RefusalError:
    """Asked before the models are there."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "loading",
        "The models are being loaded; try again in a moment.",
        _LOADING_RETRY_S,
    )


def internal_error() -> RefusalError:
    """A fault of ours."""
    return RefusalError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "The service failed on this request; its log says why. Another request may well succeed.",
    )


def to_refusal(error: Exception) -> RefusalError:
    """What HTTP says to one of our errors, to one of the framework's, or to one that nobody expected."""
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, PictureError):
        return RefusalError(_PICTURE_STATUS[error.code], error.code, str(error))
    if isinstance(error, OverloadedError):
        status = HTTPStatus.SERVICE_UNAVAILABLE if error.waited else HTTPStatus.TOO_MANY_REQUESTS
        return RefusalError(status, "overloaded", str(error), error.retry_after_s)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        return RefusalError(status, status.name.lower(), f"{status.description or status.phrase}.")
    return internal_error()


async def answer(_request: Request, error: Exception) -> Response:
    """The exception handler of every error."""
    refusal = to_refusal(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    body = refusal.problem().model_dump_json()
    return Response(body, refusal.status, headers=headers, media_type=problem.CONTENT_TYPE)
