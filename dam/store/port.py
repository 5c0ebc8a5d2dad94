"""The object store as the rest of the project sees it. One contract test suite runs against every adapter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing or a head tells. `etag` is opaque; `metadata` and `content_type` only from a head."""

    key: str
    size: int
    etag: str
    last_modified: datetime
    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A whole object in memory."""

    data: bytes
    info: ObjectInfo


class Streamed(NamedTuple):
    """What a stream was: its bytes are hashed on their way, because a bucket wants hashes too."""

    size: int
    sha256: str
    """Lower-case hex."""


class ObjectStore(ABC):
    """A flat space of objects by key, with conditional puts.

    Metadata values are ASCII (callers percent-encode). Every method raises `StoreUnavailableError` when the
    store does not answer or refuses for now, after its own bounded retries. An unclear outcome of a
    conditional put (a retry that finds its own earlier write) is the caller's to settle by reading back.
    """

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is, for people: a folder or `s3://bucket`, never with a secret."""

    @abstractmethod
    async def put(  # noqa: PLR0913 - the parts of one S3 PUT
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> str:
        """Write a whole object atomically and return its etag. A file is read piece by piece, not held.

        Raises:
            PreconditionFailedError: `if_absent` and it exists, or `if_match` and it is another or gone.
        """

    @abstractmethod
    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Streamed:
        """Write an object of unknown length, holding at most one part of 5 MiB in memory; say what it was.

        Nothing becomes visible at `key` unless `chunks` ends without an error; an error it raises passes
        through after the upload has been aborted.
        """

    @abstractmethod
    async def get(self, key: str) -> StoredObject:
        """Read a whole object. Raises `ObjectNotFoundError`."""

    @abstractmethod
    def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` up to and without `end` (to the last where None). Raises `ObjectNotFoundError`."""

    @abstractmethod
    async def head(self, key: str) -> ObjectInfo:
        """Size, etag, type and metadata. Raises `ObjectNotFoundError`."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""

    @abstractmethod
    def list(self, prefix: str, *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        """Objects whose key begins with `prefix`, in key order (UTF-8 bytes), page by page."""

    @abstractmethod
    async def ping(self) -> None:
        """Raise `StoreUnavailableError`, with its reason, unless the bucket answers now (bound: 5 s)."""

    @abstractmethod
    async def sign_url(self, key: str, *, expires_s: int, filename: str | None = None) -> str | None:
        """A URL that reads the object for `expires_s` seconds, or None where the store cannot sign."""

    @abstractmethod
    async def close(self) -> None:
        """Release connections; called once, after which no method may be called."""
