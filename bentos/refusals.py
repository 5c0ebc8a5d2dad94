"""Every 4xx and 5xx of the Bento: one exception, and what becomes of the core's own errors.

Raised by `intake` and `app`, answered by `app` as problem+json. Codes and statuses are stated here alone.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi.responses import Response

from bentos.batching import OverloadedError
from dam import problem
from dam.errors import PictureError
from dam.problem import Problem

if TYPE_CHECKING:
    from fastapi import Request

_PICTURE_STATUS: Final = {
    "not_an_image": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported_format": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "too_many_pixels": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "truncated": HTTPStatus.BAD_REQUEST,
    "broken_image": HTTPStatus.BAD_REQUEST,
}


class RefusalError(Exception):
    """A request that is not answered with a result; `retry_after_s` where trying again may help."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


def to_refusal(error: Exception) -> RefusalError:
    """What HTTP says to one of our errors, or to one that nobody expected."""
    if isinstance(error, RefusalError):
        return error
    if isinstance(error, PictureError):
        return RefusalError(_PICTURE_STATUS[error.code], error.code, str(error))
    if isinstance(error, OverloadedError):
        status = HTTPStatus.SERVICE_UNAVAILABLE if error.waited else HTTPStatus.TOO_MANY_REQUESTS
        return RefusalError(status, "overloaded", str(error), error.retry_after_s)
    return RefusalError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "The service failed on this request; its log says why. Another request may well succeed.",
    )


async def answer(_request: Request, error: Exception) -> Response:
    """The exception handler of every error."""
    refusal = to_refusal(error)
    body = Problem(
        title=refusal.status.phrase, status=refusal.status, code=refusal.code, detail=str(refusal)
    )
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    return Response(
        body.model_dump_json(), refusal.status, headers=headers, media_type=problem.CONTENT_TYPE
    )
