"""Why a request is not answered: one exception, one constructor for each reason.

Raised by the parts of this service; `app` turns it into a problem. The status, code and sentence of each
reason are stated here alone.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from dam.problem import Problem
from gallery_api.answers.asset import Asset, show_row
from gallery_api.answers.editing import ConflictProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.catalogue import Row


class RefusalError(Exception):
    """The request is refused. `current` is the asset as it is now, where an edit came too late."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        current: Asset | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = dict(headers or {})
        self.status = status
        self.code = code
        self.detail = detail
        self.current = current

    def problem(self) -> Problem:
        """As RFC 9457 wants it."""
        problem = Problem(title=self.status.phrase, status=self.status, code=self.code, detail=self.detail)
        if self.current is None:
            return problem
        return ConflictProblem.model_construct(**problem.model_dump(), current=self.current)


def not_found(asset_id: str) -> RefusalError:
    """No row and no original."""
    return RefusalError(HTTPStatus.NOT_FOUND, "not_found", f"There is no asset {asset_id!a:.80}.")


def purged(asset_id: str) -> RefusalError:
    """It was, and is gone for good."""
    return RefusalError(
        HTTPStatus.NOT_FOUND, "purged", f"The asset {asset_id} was purged: its bytes are gone for good."
    )


def no_file(asset_id: str, what: str) -> RefusalError:
    """The asset is there, this of it is not."""
    return RefusalError(HTTPStatus.NOT_FOUND, "no_file", f"The asset {asset_id} has no {what}.")


def range_not_satisfiable(size: int) -> RefusalError:
    """The range lies behind the end."""
    return RefusalError(
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        "range_not_satisfiable",
        f"The object has {size} bytes; the range that was asked for begins behind them.",
        headers={"Content-Range": f"bytes */{size}"},
    )


def if_match_missing(revision: int) -> RefusalError:
    """An edit that does not say what it was made on."""
    return RefusalError(
        HTTPStatus.PRECONDITION_REQUIRED,
        "if_match_missing",
        "Say which revision the change is meant for, so that nobody else's edit is lost: "
        f'If-Match: "{revision}" is the current one.',
    )


def bad_if_match(value: str) -> RefusalError:
    """An `If-Match` that is no revision."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_request",
        f'If-Match is {value!a:.60}; it must be the asset\'s ETag, its revision in quotes: "3".',
    )


def stale_revision(current: Row, expected: int) -> RefusalError:
    """Somebody else was first."""
    return RefusalError(
        HTTPStatus.PRECONDITION_FAILED,
        "stale_revision",
        f"The change was meant for revision {expected} of {current.id}, which is at revision "
        f"{current.revision} by now: {current.actor} made it ({current.event}). Look at it, then try again.",
        current=show_row(current),
    )


def wrong_state(asset_id: str, status: str, what: str) -> RefusalError:
    """Not while it is deleted, or pending."""
    return RefusalError(
        HTTPStatus.CONFLICT, "wrong_state", f"The asset {asset_id} is {status}: it cannot be {what}."
    )


def no_such_revision(asset_id: str, revision: int) -> RefusalError:
    """Nothing to go back to."""
    return RefusalError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "no_such_revision", f"{asset_id} has no revision {revision}."
    )


def unwritable(reason: str) -> RefusalError:
    """The catalogue cannot take these values."""
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", reason)


def invalid(detail: str) -> RefusalError:
    """A parameter or a body that makes no sense."""
    return RefusalError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail)


def bad_cursor(cursor: str) -> RefusalError:
    """A cursor that was not handed out."""
    return invalid(f"The cursor {cursor!a:.80} is none: give `next_cursor` of the page before.")


def unavailable(reason: str) -> RefusalError:
    """Something behind is down; `app` adds `Retry-After`."""
    return RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", reason)
