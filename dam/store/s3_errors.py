"""Turns what botocore and aiohttp raise into the port's errors, with a sentence for people. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.exceptions import (
    ConnectionError as NoConnectionError,
)
from botocore.parsers import ResponseParserError

from dam.errors import ObjectNotFoundError, PreconditionFailedError, StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from dam.settings import DamSettings

BROKEN: Final = (
    NoConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
)
"""No answer, or half of one."""

FAILED: Final = (*BROKEN, ClientError, BotoCoreError)
"""Everything that a call can raise, but for programming errors."""

_TOO_MANY: Final = {
    "SlowDown",
    "TooManyRequests",
    "TooManyRequestsException",
    "Throttling",
    "RequestLimitExceeded",
}
_PASSING: Final = {"RequestTimeout", "RequestTimeTooSkewed", "OperationAborted"}
_LOST: Final = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
"""How a conditional put learns that it lost: AWS answers 404 to `If-Match` where the object is gone."""


class S3Errors:
    """Knows the bucket's name and endpoint, for its sentences."""

    def __init__(self, settings: DamSettings, bucket: str) -> None:
        self._bucket = bucket
        self._where = settings.store_endpoint_url or "AWS S3"

    def translate(self, error: BaseException, key: str = "", *, conditional: bool = False) -> StoreError:
        """The port's error for one of `FAILED`; raise it `from` that."""
        if isinstance(error, ClientError):
            return self._answered(error, key, conditional=conditional)
        if isinstance(error, (ReadTimeoutError, ConnectTimeoutError, TimeoutError)):
            return StoreUnavailableError(f"{self._at(key)} did not answer in time; try again later.")
        if isinstance(error, BROKEN):
            return StoreUnavailableError(f"{self._at(key)} cannot be reached: {_short(error)}.")
        return StoreError(f"{self._at(key)} cannot be asked: {_short(error)}.")

    def _answered(self, error: ClientError, key: str, *, conditional: bool) -> StoreError:
        code, status = code_of(error), status_of(error)
        if code == "NoSuchBucket":
            return StoreUnavailableError(
                f"There is no bucket {self._bucket} at {self._where}: create it or correct DAM_STORE_URL."
            )
        if conditional and status in _LOST:
            return PreconditionFailedError(f"{key} exists already, or is not the version to be replaced.")
        if status == HTTPStatus.NOT_FOUND:
            return ObjectNotFoundError(f"There is no object {key} in the bucket {self._bucket}.")
        return self._for_now(error, key) or StoreError(
            f"{self._at(key)} refused the request ({status} {code}): {_message(error)}"
        )

    def _for_now(self, error: ClientError, key: str) -> StoreUnavailableError | None:
        """Refusals that have nothing to do with this one object, and that time or an operator will end."""
        code, status = code_of(error), status_of(error)
        if status == HTTPStatus.TOO_MANY_REQUESTS or code in _TOO_MANY:
            return StoreUnavailableError(
                f"{self._at(key)} asks for fewer requests ({code}); try again later."
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _PASSING:
            return StoreUnavailableError(
                f"{self._at(key)} failed for now ({status} {code}); try again later."
            )
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return StoreUnavailableError(
                f"{self._at(key)} refused our credentials ({code}): check DAM_STORE_ACCESS_KEY_ID, its "
                "secret and what that key may do."
            )
        return None

    def _at(self, key: str) -> str:
        return f"The bucket {self._bucket} at {self._where}" + (f" (asked for {key})" if key else "")


def code_of(error: ClientError) -> str:
    """S3's error code, such as `NoSuchKey`; for answers without a body the HTTP status as text."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status; 0 where there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message") or "it gave no reason.")


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.rstrip(".").replace("\n", " ")[:300]
