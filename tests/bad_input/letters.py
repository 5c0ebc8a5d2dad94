"""Messages made by hand: what each is, and how it ends.

"ready" and "failed" are an asset's status; "parked" is where messages lie that name no asset. A code follows.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from dam.ids import new_id
from tests.orchestrator.rig import draw, job_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LARGE: Final = 1_000_000
_MANY: Final = 100_000
_WAYS_OUT: Final = ("assets/../../../etc/passwd", "metadata/images.parquet", "../x", "/etc/passwd", "")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message. The row of `asset_id` tells how it ended; `original` is the picture that lies at `key`."""

    name: str
    body: bytes
    ends: str
    asset_id: str = ""
    key: str = ""
    original: bytes = b""
    content_type: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)


def write_letters() -> list[Letter]:
    """All of them, each about an asset of its own."""
    kinds = (_no_json, _wrong_shapes, _cuts, _other_versions, _wrong_ids, _wrong_values, _odd_but_good)
    return [letter for kind in kinds for letter in kind()]


def _no_json() -> Iterator[Letter]:
    whole = job_for(draw(1)).to_bytes()
    bodies = {
        "no byte": b"",
        "every byte": bytes(range(256)) * 4,
        "text": b"please enrich the boat",
        "a page": b"<html><body>502 Bad Gateway</body></html>",
        "packed": gzip.compress(whole),
        "a megabyte of text": b"x" * _LARGE,
        "a megabyte of zeros": bytes(_LARGE),
        "lists in lists": b"[" * _MANY,
        "objects in objects": b'{"a":' * _MANY,
        "two messages": whole + whole,
    }
    for name, body in bodies.items():
        yield Letter(name, body, "parked malformed")


def _wrong_shapes() -> Iterator[Letter]:
    whole = json.loads(job_for(draw(1)).to_bytes())
    values: dict[str, Any] = {
        "null": None,
        "true": True,
        "a number": 1e308,
        "a text": "enrich",
        "a list": [whole],
    }
    for name, value in values.items():
        yield Letter(f"only {name}", json.dumps(value).encode(), "parked malformed")
    yield Letter("an empty object", b"{}", "parked unknown_schema")
    yield Letter("an object around it", json.dumps({"job": whole}).encode(), "parked unknown_schema")


def _cuts() -> Iterator[Letter]:
    whole = job_for(draw(1)).to_bytes()
    for tenth in range(1, 10):
        yield Letter(f"cut after {tenth} tenths", whole[: len(whole) * tenth // 10], "parked malformed")


def _other_versions() -> Iterator[Letter]:
    wrong: dict[str, dict[str, Any]] = {
        "the next schema": {"schema": 2},
        "a schema as text": {"schema": "1"},
        "no schema": {"schema": None},
        "another kind": {"kind": "purge"},
        "a list of kinds": {"kind": ["enrich"]},
        "a schema of a megabyte": {"schema": "x" * _LARGE},
    }
    for name, fields in wrong.items():
        yield _about_an_asset(name, "failed unknown_schema", **fields)


def _wrong_ids() -> Iterator[Letter]:
    for name, asset_id in {
        "a way out": "../../metadata",
        "none": "",
        "a megabyte": "x" * _LARGE,
        "a number": 7,
        "nothing": None,
        "capitals": new_id().upper(),
    }.items():
        body = json.loads(job_for(draw(1)).to_bytes()) | {"asset_id": asset_id}
        yield Letter(f"as id {name}", json.dumps(body).encode(), "parked malformed")
    for number in range(3):
        job = job_for(draw(number))
        yield Letter(f"nobody's id {number}", job.to_bytes(), "failed original_missing", job.asset_id)


def _wrong_values() -> Iterator[Letter]:
    for key in (*_WAYS_OUT, f"assets/{new_id()}.jpg"):
        yield _about_an_asset(f"key {key}", "failed malformed", key=key)
    wrong: dict[str, dict[str, Any]] = {
        "a size in words": {"size_bytes": "many"},
        "half a byte": {"size_bytes": 1.5},
        "a size below zero": {"size_bytes": -1},
        "a size of 30 digits": {"size_bytes": 10**30},
        "a size without end": {"size_bytes": float("inf")},
        "a revision below zero": {"expected_revision": -1},
        "a revision of 30 digits": {"expected_revision": 10**30},
        "a hash that is a number": {"sha256": 7},
        "yesterday": {"received_at": "yesterday"},
        "a poem": {"wants": ["poem"]},
        "100,000 poems": {"wants": ["poem"] * _MANY},
        "half a character": {"filename": "\ud800"},
        "nobody": {"actor": None},
        "a value 900 deep": {"more": _nest(900)},
    }
    for name, fields in wrong.items():
        yield _about_an_asset(name, "failed malformed", **fields)


def _odd_but_good() -> Iterator[Letter]:
    odd: dict[str, dict[str, Any]] = {
        "a megabyte that nobody knows": {"more": "x" * _LARGE},
        "a value 150 deep that nobody knows": {"more": _nest(150)},
        "a name with a way out": {"filename": "../../x.jpg"},
        "received in the year 1": {"received_at": "0001-01-01T00:00:00Z"},
        "received in the year 9999": {"received_at": "9999-12-31T23:59:59Z"},
        "no change id": {"change_id": ""},
    }
    for name, fields in odd.items():
        yield _about_an_asset(name, "ready", **fields)
    headers: dict[str, dict[str, Any]] = {
        "headers of other types": {
            "dam-attempts": "many",
            "dam-redeliveries": [1],
            "x-death": 7,
            "dam-reason": 5,
        },
        "headers below zero": {"dam-attempts": -5, "dam-redeliveries": -5},
    }
    for name, own in headers.items():
        yield replace(_about_an_asset(name, "ready"), headers=own)
    for content_type in ("text/plain", "\r\n"):
        letter = _about_an_asset(f"announced as {content_type!r}", "ready")
        yield replace(letter, content_type=content_type)


def _nest(depth: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def _about_an_asset(name: str, ends: str, **fields: Any) -> Letter:
    """A job for an original that is there, with these fields."""
    data = draw(2)
    job = job_for(data)
    body = json.dumps(json.loads(job.to_bytes()) | fields).encode()
    return Letter(name, body, ends, job.asset_id, job.key, data)
