"""Requests whose frame is broken: lengths, chunks, heads. Each function makes makers of bytes for a door."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bad_input.wire import Sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bad_input.wire import Door

    Make = Callable[[Door], Sent]

FORM: Final = b"multipart/form-data; boundary=b"
LENGTH: Final = b"Content-Length: 5"
CHUNKED: Final = b"Transfer-Encoding: chunked"
HELLO: Final = bytes.fromhex("16030100c8010000c40303") + bytes(range(190))
"""The first bytes of a client that wants TLS."""
_LARGE: Final = 80_000
_PROBE: Final = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


def form_of(field: bytes) -> bytes:
    """A form that is right, with a file that is no picture."""
    disposition = b'Content-Disposition: form-data; name="%b"; filename="a.png"' % field
    return b"--b\r\n%b\r\n\r\nno picture\r\n--b--\r\n" % disposition


def head_of(door: Door, *headers: bytes, kind: bytes = FORM) -> bytes:
    """The head of a POST."""
    lines = [b"POST %b HTTP/1.1" % door.route, b"Host: localhost", b"Content-Type: %b" % kind, *headers]
    return b"\r\n".join([*lines, b"", b""])


def lengths(*values: bytes) -> Make:
    """A form behind these lengths; `true` is its own."""

    def make(door: Door) -> Sent:
        body = form_of(door.field)
        own = b"%d" % len(body)
        return Sent(
            head_of(door, *(b"Content-Length: " + value.replace(b"true", own) for value in values)) + body
        )

    return make


def headers(*lines: bytes) -> Make:
    """A form in one chunk behind these headers."""
    return lambda door: Sent(head_of(door, *lines) + _chunk(form_of(door.field)) + b"0\r\n\r\n")


def chunks(framed: bytes) -> Make:
    """A body of these frames."""
    return lambda door: Sent(head_of(door, CHUNKED) + framed)


def exactly(*pieces: bytes) -> list[Make]:
    """Each the same at every door."""
    return [partial(_say, piece) for piece in pieces]


def _say(data: bytes, _: Door) -> Sent:
    return Sent(data)


def cut(door: Door) -> Sent:
    """100 bytes are missing."""
    body = form_of(door.field)
    return Sent(head_of(door, b"Content-Length: %d" % (len(body) + 100)) + body, ends=True)


def cut_chunk(door: Door) -> Sent:
    """20 bytes are missing."""
    return Sent(head_of(door, CHUNKED) + _chunk(form_of(door.field))[:-20], ends=True)


def nothing(_: Door) -> Sent:
    """Not a byte."""
    return Sent(b"", ends=True)


def odd_lengths() -> list[Make]:
    """That are no numbers."""
    return [lengths(value) for value in (b"-1", b"+5", b"five", b"", b"0x5", b"5.0", b"true true")]


def odd_encodings() -> list[Make]:
    """That nobody is to decode."""
    return [headers(b"Transfer-Encoding: " + value) for value in (b"gzip", b"xchunked", b"chunked, chunked")]


def odd_sizes() -> list[Make]:
    """That are no sizes of a chunk."""
    return [chunks(size + b"\r\nno picture\r\n0\r\n\r\n") for size in (b"ten", b"-5", b"", b"f" * 20)]


def odd_names() -> list[Make]:
    """Lines that are no headers."""
    return [headers(line) for line in (b"Content-Length : 5", b"nothing more", b": nameless", b"a b: c")]


def odd_line_ends() -> list[Make]:
    """CR or LF without the other."""
    return [
        *exactly(b"GET /healthz HTTP/1.1\rHost: localhost\r\r", b"GET /healthz HTTP/1.1\nHost: x\n\n"),
        headers(b"X: y\rZ: z"),
    ]


def odd_addresses() -> list[Make]:
    """That HTTP cannot spell."""
    return exactly(
        *(b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path for path in (b"\0", b"a b", "é".encode()))
    )


def large_heads() -> list[Make]:
    """That do not end."""
    return exactly(
        _PROBE + b"X: y\r\n" * (_LARGE // 6), _PROBE + b"X: " + b"y" * _LARGE, b"GET /" + b"a" * _LARGE
    )


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
