"""Conditional puts on S3: what `If-None-Match` and `If-Match` leave unsaid, settled as far as it can be.

Two things are not as the headers promise. Servers differ in whether `If-Match` takes the ETag in quotes (R2,
AWS) or bare (radosgw): the first conflict tells, by a look at the object, so no probe object is ever made.
And botocore repeats a put whose answer was lost (aiohttp does so unseen), so that it may lose to itself:
each conditional put carries a marker in its metadata, and one that lost looks for its own.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from dam.errors import ObjectNotFoundError, PreconditionFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from dam.store.s3_bucket import Bucket

MARKER: Final = "dam-put"
"""Metadata that names one conditional put; never shown to callers."""


class ConditionalPuts:
    """The conditional puts of one bucket; remembers how its server wants ETags."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._quoted: bool | None = None

    @property
    def quoted(self) -> bool | None:
        """Whether this server takes `If-Match` in quotes; None as long as no put has shown it."""
        return self._quoted

    async def create(self, key: str, data: bytes | Path, headers: dict[str, Any]) -> str:
        """Put unless there is an object; return the ETag. Raises `PreconditionFailedError`."""
        return await self._put(key, data, headers, IfNoneMatch="*")

    async def replace(self, key: str, data: bytes | Path, headers: dict[str, Any], etag: str) -> str:
        """Put if the object still has this (bare) ETag; return the new one. Raises as `create`."""
        quoted = self._quoted is not False
        try:
            new = await self._put(key, data, headers, IfMatch=f'"{etag}"' if quoted else etag)
        except PreconditionFailedError:
            if self._quoted is not None or not await self._is_current(key, etag):
                raise
            # Refused although it matches: this server compares the quotes too.
            new = await self._put(key, data, headers, IfMatch=etag)
            quoted = False
        self._quoted = quoted
        return new

    async def _put(self, key: str, data: bytes | Path, headers: dict[str, Any], **condition: str) -> str:
        marker = uuid.uuid4().hex
        marked = {**headers, "Metadata": {**headers["Metadata"], MARKER: marker}}
        try:
            answer = await self._bucket.send(key, "put_object", data, conditional=True, **marked, **condition)
        except PreconditionFailedError:
            own = await self._find_own(key, marker)
            if own is None:
                raise
            return own
        return bare(answer["ETag"])

    async def _find_own(self, key: str, marker: str) -> str | None:
        """The ETag of what lies at `key`, if this very put wrote it."""
        try:
            found = await self._bucket.call(key, "head_object")
        except ObjectNotFoundError:
            return None
        return bare(found["ETag"]) if found["Metadata"].get(MARKER) == marker else None

    async def _is_current(self, key: str, etag: str) -> bool:
        try:
            found = await self._bucket.call(key, "head_object")
        except ObjectNotFoundError:
            return False
        return bare(found["ETag"]) == etag


def bare(etag: str) -> str:
    """An ETag without its quotes."""
    return etag.strip('"')
