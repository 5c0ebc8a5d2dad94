"""A file on its way in: its bytes measured while they pass, and what is known of it once they are stored.

Used by `intake` alone; talks to no store and no queue.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam.media import HEAD_BYTES
from ingest_api import refusals
from ingest_api.answers import UploadedFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.claims import Claim
    from dam.store.port import ObjectInfo


class Measured:
    """Passes a file's bytes on while it counts, hashes and limits them."""

    def __init__(self, filename: str, head: bytes, rest: AsyncIterator[bytes], limit: int) -> None:
        self._filename, self._head, self._rest, self._limit = filename, head, rest, limit
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of what has passed so far, lower-case hex."""
        return self._hash.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes. Raises `RefusalError` as soon as there are more than the limit."""
        yield self._measure(self._head)
        async for chunk in self._rest:
            yield self._measure(chunk)

    def _measure(self, chunk: bytes) -> bytes:
        self.size += len(chunk)
        if self.size > self._limit:
            raise refusals.file_too_large(self._filename, self._limit)
        self._hash.update(chunk)
        return chunk


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file whose bytes are in the bucket under a key of its own."""

    claim: Claim
    original: ObjectInfo
    """As a `head` would tell it, but for its etag."""
    filename: str
    sha256: str

    def answer(self) -> UploadedFile:
        """As a new asset."""
        return UploadedFile(
            filename=self.filename,
            id=self.claim.id,
            r2_key=self.claim.key,
            mime_type=self.original.content_type,
            size_bytes=self.claim.size,
            sha256=self.sha256,
            status="pending",
        )


async def read_head(chunks: AsyncIterator[bytes]) -> bytes:
    """The first `HEAD_BYTES` or a little more, or the whole of a shorter file."""
    head = b""
    while len(head) < HEAD_BYTES:
        chunk = await anext(chunks, None)
        if chunk is None:
            break
        head += chunk
    return head
