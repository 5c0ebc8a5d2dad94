"""A file on its way in: its bytes within their limit, and what is known of it once they are stored.

Used by `intake` alone; talks to no store and no queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dam.media import HEAD_BYTES
from ingest_api import refusals
from ingest_api.answers import UploadedFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.claims import Claim
    from dam.store.port import ObjectInfo


async def within(limit: int, filename: str, head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The file's bytes. Raises `RefusalError` as soon as there are more than the limit."""
    size = len(head)
    if size > limit:
        raise refusals.file_too_large(filename, limit)
    yield head
    async for chunk in rest:
        size += len(chunk)
        if size > limit:
            raise refusals.file_too_large(filename, limit)
        yield chunk


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
