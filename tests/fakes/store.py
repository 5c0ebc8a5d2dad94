"""An object store in a dictionary. Faults are switched on by the test: `down`, `lost_puts`."""

from __future__ import annotations

import hashlib
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dam.errors import ObjectNotFoundError, PreconditionFailedError, StoreUnavailableError
from dam.store.naming import check_key, check_metadata
from dam.store.port import ObjectInfo, ObjectStore, StoredObject, Streamed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path


class MemoryStore(ObjectStore):
    """Everything in `objects`.

    While `down` is set, every call raises `StoreUnavailableError` with it. `lost_puts` holds answers to lose:
    each entry lets one `put` happen (`"after"`) or not happen (`"before"`) and then raise as if the answer
    never came; `None` lets one pass.
    """

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.down: str | None = None
        self.lost_puts: deque[str | None] = deque()
        self.closed = False

    @property
    def url(self) -> str:
        """For people."""
        return "memory://store"

    def _check(self, key: str | None = None) -> None:
        if key is not None:
            check_key(key)
        if self.down is not None:
            raise StoreUnavailableError(self.down)

    def _keep(self, key: str, data: bytes, content_type: str, metadata: Mapping[str, str] | None) -> str:
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        info = ObjectInfo(key, len(data), etag, datetime.now(UTC), content_type, dict(metadata or {}))
        self.objects[key] = StoredObject(data, info)
        return etag

    async def put(  # noqa: PLR0913 - the port's signature
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> str:
        """Write, with the port's conditions."""
        check_metadata(key, metadata or {})
        self._check(key)
        lost = self.lost_puts.popleft() if self.lost_puts else None
        if lost == "before":
            raise StoreUnavailableError(f"The request for {key} was lost (fault of this test).")
        now = self.objects.get(key)
        if if_absent and now is not None:
            raise PreconditionFailedError(f"{key} exists already.")
        if if_match is not None and (now is None or now.info.etag != if_match):
            raise PreconditionFailedError(f"{key} is not the one expected.")
        etag = self._keep(key, _whole(data), content_type, metadata)
        if lost == "after":
            raise StoreUnavailableError(f"The answer for {key} was lost (fault of this test).")
        return etag

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Streamed:
        """Write once `chunks` has ended."""
        check_metadata(key, metadata or {})
        self._check(key)
        data = b"".join([chunk async for chunk in chunks])
        self._check()
        self._keep(key, data, content_type, metadata)
        return Streamed(len(data), hashlib.sha256(data).hexdigest())

    def _object(self, key: str) -> StoredObject:
        self._check(key)
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectNotFoundError(f"There is no object at {key}.") from None

    async def get(self, key: str) -> StoredObject:
        """Read a whole object."""
        return self._object(key)

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read a range in small chunks."""
        data = self._object(key).data[start:end]
        for offset in range(0, len(data), 65536):
            yield data[offset : offset + 65536]

    async def head(self, key: str) -> ObjectInfo:
        """Describe an object."""
        return self._object(key).info

    async def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        self._check(key)
        self.objects.pop(key, None)

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        """Describe objects in key order."""
        self._check()
        for key in sorted(self.objects, key=str.encode):
            if key.startswith(prefix) and key > start_after and key in self.objects:
                yield self.objects[key].info

    async def ping(self) -> None:
        """Raise while `down`."""
        self._check()

    async def sign_url(self, key: str, *, expires_s: int, filename: str | None = None) -> str | None:
        """Nothing can be signed in memory."""
        del key, expires_s, filename
        return None

    async def close(self) -> None:
        """Remember that it was called."""
        self.closed = True


def _whole(data: bytes | Path) -> bytes:
    return data if isinstance(data, bytes) else data.read_bytes()
