"""Headers that every answer has unless its route says otherwise; the usual ones against the usual attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    Header = tuple[bytes, bytes]

_ALWAYS: Final = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
_OF_DATA: Final = {
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"private, no-cache",
}
"""For what is no page nor a part of one: nothing in it is ever run, and no shared cache keeps it."""
_OF_PAGES: Final = {b"content-security-policy": b"frame-ancestors 'none'"}
_HSTS: Final = {b"strict-transport-security": b"max-age=31536000"}
_DATA: Final = (b"application/", b"text/plain", b"text/csv", b"text/event-stream")


def complete(headers: Iterable[Header], *, is_https: bool) -> list[Header]:
    """The headers, and those that are missing; what a route has set stays."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    kind = next((value for name, value in given if name.lower() == b"content-type"), b"application/")
    is_data = kind.startswith(_DATA) and b"javascript" not in kind
    wanted = _ALWAYS | (_OF_DATA if is_data else _OF_PAGES) | (_HSTS if is_https else {})
    return given + [(name, value) for name, value in wanted.items() if name not in names]
