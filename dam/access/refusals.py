"""Why somebody is not let in: one exception, one constructor for each reason. Answered by the guard."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from dam.problem import Problem

if TYPE_CHECKING:
    from dam.access.tokens import Scope


class NotAdmittedError(Exception):
    """The request goes no further."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = headers or {}

    def problem(self) -> Problem:
        """As RFC 9457 wants it."""
        return Problem(title=self.status.phrase, status=self.status, code=self.code, detail=str(self))


def no_token() -> NotAdmittedError:
    """Nothing was shown."""
    return NotAdmittedError(
        HTTPStatus.UNAUTHORIZED,
        "no_token",
        "This needs a token: send `Authorization: Bearer dam_…`, or sign in. `dam token create` makes one.",
        {"WWW-Authenticate": 'Bearer realm="dam"'},
    )


def bad_token() -> NotAdmittedError:
    """What was shown is no token, or not any more. Which of these is nobody's business."""
    return NotAdmittedError(
        HTTPStatus.UNAUTHORIZED,
        "bad_token",
        "The token is unknown, revoked or over. `dam token list` shows those there are.",
        {"WWW-Authenticate": 'Bearer realm="dam", error="invalid_token"'},
    )


def missing_scope(scope: Scope, name: str) -> NotAdmittedError:
    """A token, but not for this."""
    return NotAdmittedError(
        HTTPStatus.FORBIDDEN,
        "missing_scope",
        f"The token of {name} does not allow this: it lacks the scope `{scope}`.",
        {"WWW-Authenticate": f'Bearer realm="dam", error="insufficient_scope", scope="{scope}"'},
    )


def forged() -> NotAdmittedError:
    """Another site's page asks for a change."""
    return NotAdmittedError(
        HTTPStatus.FORBIDDEN,
        "foreign_origin",
        "A page of another site may not change anything here. Where it is yours, name its origin in "
        "DAM_ALLOWED_ORIGINS.",
    )


def foreign_host(host: str) -> NotAdmittedError:
    """Open access is for this machine, under its own names."""
    return NotAdmittedError(
        HTTPStatus.FORBIDDEN,
        "foreign_host",
        f"Without tokens this answers to this machine's own names only (localhost, 127.0.0.1), not to "
        f"{host!a:.100}. `dam token create NAME --scope admin` makes a token; with one any name will do.",
    )


def not_open() -> NotAdmittedError:
    """Listens elsewhere, and there is no token that could be shown."""
    return NotAdmittedError(
        HTTPStatus.UNAUTHORIZED,
        "no_token",
        "Without any token this is open on loopback only. `dam token create NAME --scope admin` makes one.",
        {"WWW-Authenticate": 'Bearer realm="dam"'},
    )


def too_many(detail: str, retry_after_s: int) -> NotAdmittedError:
    """More than this token's share."""
    return NotAdmittedError(
        HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", detail, {"Retry-After": str(retry_after_s)}
    )


def unknowable(reason: str) -> NotAdmittedError:
    """The tokens cannot be looked up, so nobody is let in."""
    return NotAdmittedError(
        HTTPStatus.SERVICE_UNAVAILABLE, "access_unavailable", reason, {"Retry-After": "5"}
    )
