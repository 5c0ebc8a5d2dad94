"""Identifiers: asset ids and change ids are UUIDv7 in their usual text form, so that they sort by time."""

from __future__ import annotations

import re

import uuid_utils

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FORMER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """A new UUIDv7, 36 characters."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Whether `text` is a UUID (any version: buckets of the original project hold UUIDv4) in lower case."""
    return _UUID.fullmatch(text) is not None


def is_former(text: str) -> bool:
    """Whether `text` is an id of the original project: a UUIDv4, which none of ours ever is."""
    return _FORMER.fullmatch(text) is not None
