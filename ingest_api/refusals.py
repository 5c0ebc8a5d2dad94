"""Why a file or a request is not taken: one exception, one constructor for each reason.

Raised by the parts of this service; `answers` turns it into a problem. The status, code and sentence of each
reason are stated here alone.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from dam.media import MEDIA_TYPES
from dam.problem import Problem

if TYPE_CHECKING:
    from dam.errors import DamError

ACCEPTED: Final = ", ".join(media.name for media in MEDIA_TYPES)

BODY_CODES: Final = frozenset({"bad_multipart", "request_too_large", "too_many_files", "stalled"})
"""Reasons that end the body: nothing after them is taken."""


class RefusalError(Exception):
    """One file, or the whole request, is not taken. `retry_after_s` is set where trying again may help."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s

    def problem(self) -> Problem:
        """As RFC 9457 wants it."""
        return Problem(title=self.status.phrase, status=self.status, code=self.code, detail=self.detail)


def not_multipart(content_type: str) -> RefusalError:
    """The request is no form with files."""
    return RefusalError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "not_multipart",
        f"The request has the content type {content_type[:100] or '(none)'!r}; send the files as "
        "multipart/form-data, for example with curl -F files=@photo.jpg.",
    )


def bad_multipart(reason: str) -> RefusalError:
    """The form is broken or cut short."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "bad_multipart",
        f"The multipart body cannot be read: {reason.rstrip('.')}. Send it again.",
    )


def no_file() -> RefusalError:
    """The form has no file in it."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "no_file",
        "The form holds no file. A file is a part with a file name, for example curl -F files=@photo.jpg.",
    )


def empty_file(filename: str) -> RefusalError:
    """A file of no bytes."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "empty_file",
        f"{filename} is empty: it has no bytes. Send the file again.",
    )


def unsupported_type(filename: str) -> RefusalError:
    """Content that is on no list."""
    return RefusalError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_type",
        f"{filename} is not a picture this service takes: its first bytes are none of {ACCEPTED}. "
        "The name does not matter; convert the file and send it again.",
    )


def file_too_large(filename: str, limit: int) -> RefusalError:
    """One file over the limit."""
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "file_too_large",
        f"{filename} is larger than the {limit:,} bytes that one file may have (DAM_MAX_FILE_BYTES, or the "
        "token's own limit).",
    )


def request_too_large(limit: int) -> RefusalError:
    """A body over the limit."""
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "request_too_large",
        f"The request is larger than {limit:,} bytes (DAM_MAX_REQUEST_BYTES); send the files in several.",
    )


def too_many_files(limit: int) -> RefusalError:
    """More files than one request may bring."""
    return RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "too_many_files",
        f"The request holds more than {limit} files (DAM_MAX_FILES); send the rest in another request.",
    )


def stalled(seconds: float) -> RefusalError:
    """A body whose next bytes did not come."""
    return RefusalError(
        HTTPStatus.REQUEST_TIMEOUT,
        "stalled",
        f"No byte of the body came for {seconds:g} s, so the upload was given up; send it again.",
    )


def busy(retry_after_s: int) -> RefusalError:
    """Too many bodies at once."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "busy",
        "Too many uploads are being received at once; send this one again later.",
        retry_after_s=retry_after_s,
    )


def store_unavailable(filename: str, error: DamError, retry_after_s: int) -> RefusalError:
    """The bucket is down; nothing is known to be stored."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "store_unavailable",
        f"{filename} could not be stored: {error} Send it again later; that is safe.",
        retry_after_s=retry_after_s,
    )


def queue_unavailable(filename: str, error: DamError, retry_after_s: int) -> RefusalError:
    """The original is stored and stays; only its job is missing."""
    return RefusalError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "queue_unavailable",
        f"{filename} is stored, but its job could not be queued: {error} Send it again later to complete it, "
        "or leave it: reconcile queues it.",
        retry_after_s=retry_after_s,
    )
