"""Reads message bodies: jobs that are safe to work on, and what can be told of those that are not.

Called by `settling` and `deadletters`. A key or an id from a message names objects in the bucket: nothing
that is not one of ours may get through.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Final

from dam.errors import InvalidMessageError
from dam.ids import is_id
from dam.jobs import EnrichJob, parse
from dam.keys import asset_id_of

_NAMESPACE: Final = uuid.UUID("6f0f9a0c-3d0a-5c1e-9d53-0d3c8f2b7a11")
_SCALARS: Final = {"filename": "filename", "r2_key": "key", "mime_type": "mime_type", "sha256": "sha256"}


def read_job(body: bytes) -> EnrichJob:
    """The job in a message. Raises InvalidMessageError."""
    job = parse(body)
    if not is_id(job.asset_id) or asset_id_of(job.key) != job.asset_id:
        raise InvalidMessageError(
            "malformed",
            f"The message names the asset {job.asset_id!r} and the key {job.key!r}: they do not fit.",
        )
    return job


def asset_named_in(body: bytes) -> tuple[str, dict[str, Any]] | None:
    """Id and columns that an unreadable message still tells, or None where it names no asset."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    asset_id = data.get("asset_id") if isinstance(data, dict) else None
    if not isinstance(asset_id, str) or not is_id(asset_id):
        return None
    known = {column: data.get(field) for column, field in _SCALARS.items()}
    if asset_id_of(str(known["r2_key"])) != asset_id:
        known["r2_key"] = None
    return asset_id, {column: value for column, value in known.items() if _is_text(value)}


def _is_text(value: object) -> bool:
    """Whether it is a string that a column can hold: JSON can spell half a character, UTF-8 cannot."""
    return isinstance(value, str) and value.encode(errors="replace").decode() == value


def change_id_of(body: bytes) -> str:
    """A change id for an unreadable message: the same each time it is delivered."""
    return str(uuid.uuid5(_NAMESPACE, body.hex()))
