"""The one table of broken requests: what each is, and how it ends. `docs/bad-input.md` is made of it.

"closed": the service closes the connection behind its answer; else it serves the next request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bad_input import breaking, forms
from tests.bad_input.breaking import CHUNKED, LENGTH, chunks, exactly, headers, lengths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bad_input.breaking import Make


@dataclass(frozen=True, slots=True)
class Ends:
    """How a request ends at each service, as `Reply.told` says it; empty where it is not sent."""

    ingest: str
    gallery: str
    bento: str
    orchestrator: str


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the table: its variants all end alike."""

    name: str
    variants: Sequence[Make]
    ends: Ends


def _everywhere(told: str) -> Ends:
    return Ends(told, told, told, told)


def _of_body(ingest: str, gallery: str, bento: str) -> Ends:
    """Where only the body is wrong: the orchestrator's port takes none at all."""
    return Ends(ingest, gallery, bento, "405")


_REFUSED: Final = _everywhere("400, closed")
_GONE: Final = "no answer, closed"
_CUT: Final = Ends(_GONE, _GONE, _GONE, "")
_HEAD: Final = "431 head_too_large, closed"
_TOO_LARGE: Final = Ends(_HEAD, _HEAD, _HEAD, "400, closed")
_NOT_MULTIPART: Final = "415 not_multipart, closed"
_BROKEN_FORM: Final = _of_body("422 bad_multipart, closed", "422 invalid_request", "400 malformed_body")
_NO_FILE: Final = _of_body("422 no_file", "422 invalid_request", "400 malformed_body")
_EXABYTES: Final = (lengths(b"9223372036854775807"), lengths(b"18446744073709551615"))
_LARGE_BODY: Final = _of_body("413 request_too_large", "408 stalled, closed", "413 too_large")
_NAMED_TWICE: Final = (lengths(b"5", b"true"), lengths(b"true", b"true"), lengths(b"5, 5"))
_OLD: Final = (b"GET /healthz\r\n\r\n", b"GET /healthz HTTP/1.0\r\n\r\n")
_NEW: Final = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
    b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n",
)

REQUESTS: Final[Mapping[str, Sequence[Request]]] = {
    "Lengths": (
        Request("a body shorter than its length", [breaking.cut], _CUT),
        Request("a body longer than its length", [lengths(b"5"), lengths(b"0")], _REFUSED),
        Request("two lengths", _NAMED_TWICE, _REFUSED),
        Request("a length and chunks", [headers(LENGTH, CHUNKED), headers(CHUNKED, LENGTH)], _REFUSED),
        Request("a length below zero, with a sign, in words, none", breaking.odd_lengths(), _REFUSED),
        Request("a length of more than 64 bits", [lengths(b"9" * 20), lengths(b"9" * 5_000)], _REFUSED),
        Request("a length of exabytes", _EXABYTES, _LARGE_BODY),
        Request("an encoding nobody knows, chunked twice", breaking.odd_encodings(), _REFUSED),
    ),
    "Chunks": (
        Request("a chunk that ends early", [breaking.cut_chunk], _CUT),
        Request("a chunk longer than its size", [chunks(b"5\r\nno picture\r\n0\r\n\r\n")], _REFUSED),
        Request("a size in words, below zero, none, of 80 bits", breaking.odd_sizes(), _REFUSED),
        Request("2 MB about a chunk", [chunks(b"5;" + b"e" * 2_000_000)], _of_body(_GONE, _GONE, _GONE)),
    ),
    "Heads": (
        Request("NUL in a name, in a value", [headers(b"X\0Y: z"), headers(b"X: \0")], _REFUSED),
        Request("a space before the colon, no colon, no name", breaking.odd_names(), _REFUSED),
        Request("a value that goes on in the next line", [headers(b"X: y\r\n z")], _REFUSED),
        Request("CR or LF alone, between lines and in one", breaking.odd_line_ends(), _REFUSED),
        Request("80 KB: of headers, of one, of an address", breaking.large_heads(), _TOO_LARGE),
        Request("an address with NUL, with a space, not ASCII", breaking.odd_addresses(), _REFUSED),
        Request("a method nobody knows", exactly(b"FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n"), _REFUSED),
    ),
    "Other protocols": (
        Request("HTTP/2 and HTTP/3.7", exactly(*_NEW), _REFUSED),
        Request("a probe in HTTP/0.9 and HTTP/1.0", exactly(*_OLD), _everywhere("200, closed")),
        Request("a TLS hello", exactly(breaking.HELLO), _REFUSED),
        Request("every byte there is", exactly(bytes(range(256)) * 4), _REFUSED),
        Request("not a byte", [breaking.nothing], _everywhere(_GONE)),
    ),
    "Forms": (
        Request(
            "no form",
            [forms.announced(b"text/plain")],
            _of_body(_NOT_MULTIPART, "422 invalid_request", "415 unsupported_body"),
        ),
        Request(
            "a form without a boundary",
            [forms.announced(b"multipart/form-data")],
            _of_body(_NOT_MULTIPART, "422 invalid_request", "400 malformed_body"),
        ),
        Request("a boundary that never comes, of 6,000 bytes, in LF", forms.odd_boundaries(), _BROKEN_FORM),
        Request(
            "no last boundary",
            [forms.without_end()],
            _of_body("422 bad_multipart", "422 invalid_request", "422 missing_image"),
        ),
        Request(
            "no part",
            forms.without_parts(),
            _of_body("422 no_file", "422 invalid_request", "422 missing_image"),
        ),
        Request("a part without a name, without a disposition", forms.without_name(), _NO_FILE),
        Request("10,000 fields", [forms.many_fields()], _NO_FILE),
        Request(
            "10,000 files",
            [forms.many_files()],
            _of_body("415 unsupported_type, closed", "422 invalid_request", "400 malformed_body"),
        ),
        Request("1 MB of headers before a file", forms.large_part_heads(), _BROKEN_FORM),
    ),
}
