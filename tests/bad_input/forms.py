"""Forms that are none, each whole for HTTP: makers of bytes for a door."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bad_input.breaking import FORM, form_of, head_of
from tests.bad_input.wire import Sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bad_input.breaking import Make
    from tests.bad_input.wire import Door

_MANY: Final = 10_000
_LARGE: Final = 1_000_000
_END: Final = b"--b--\r\n"


def announced(kind: bytes) -> Make:
    """A form that is right, announced as something else."""
    return _behind(form_of, kind)


def without_parts() -> list[Make]:
    """Only its end."""
    return [_behind(lambda _: _END)]


def without_end() -> Make:
    """Its last boundary is missing, and the file goes on to the last byte."""
    return _behind(lambda field: form_of(field).removesuffix(b"\r\n" + _END))


def without_name() -> list[Make]:
    """Parts that do not say what they are."""
    heads = (b"Content-Disposition: form-data\r\n", b"", b"Content-Type: image/png\r\n")
    return [_behind(partial(_nameless, head)) for head in heads]


def _nameless(head: bytes, _: bytes) -> bytes:
    return b"--b\r\n%b\r\nx\r\n%b" % (head, _END)


def many_files() -> Make:
    """10,000 of them."""
    return _behind(lambda field: form_of(field).removesuffix(_END) * _MANY + _END)


def many_fields() -> Make:
    """10,000 of them."""
    field = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nx\r\n'
    return _behind(lambda _: field * _MANY + _END)


def large_part_heads() -> list[Make]:
    """A megabyte before a file: one header, and many."""
    return [
        _with_part_headers(b"X: " + b"y" * _LARGE),
        _with_part_headers(b"\r\n".join([b"X: y"] * (_LARGE // 6))),
    ]


def odd_boundaries() -> list[Make]:
    """One that does not come, one of 6,000 bytes, lines that end in LF."""
    return [
        _behind(lambda field: form_of(field).replace(b"--b", b"--c")),
        announced(b"multipart/form-data; boundary=" + b"b" * 6_000),
        _behind(lambda field: form_of(field).replace(b"\r\n", b"\n")),
    ]


def _with_part_headers(more: bytes) -> Make:
    return _behind(lambda field: form_of(field).replace(b"\r\n\r\n", b"\r\n%b\r\n\r\n" % more, 1))


def _behind(body: Callable[[bytes], bytes], kind: bytes = FORM) -> Make:
    """What `body` makes for the door's field, with its true length."""

    def make(door: Door) -> Sent:
        made = body(door.field)
        return Sent(head_of(door, b"Content-Length: %d" % len(made), kind=kind) + made)

    return make
