"""`If-Match` of an edit: the revision that it is meant for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gallery_api import refusals

if TYPE_CHECKING:
    from dam.catalogue import Row

_MOST_DIGITS: Final = 18
"""More are no revision, and `int` would not read 5,000."""


def required_revision(if_match: str | None, current: Row) -> int:
    """The revision of an `If-Match` that has to be there. Raises `RefusalError`."""
    if if_match is None:
        raise refusals.if_match_missing(current.revision)
    return optional_revision(if_match, current)


def optional_revision(if_match: str | None, current: Row) -> int:
    """The revision of an `If-Match`; without one, or with `*`, the current one."""
    if if_match is None or if_match.strip() == "*":
        return current.revision
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise refusals.bad_if_match(if_match)
    return int(text)


def check_revision(current: Row, expected: int) -> None:
    """Raise `RefusalError` where the row is at another revision already."""
    if expected != current.revision:
        raise refusals.stale_revision(current, expected)
