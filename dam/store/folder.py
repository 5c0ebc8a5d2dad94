"""The object store in a folder: what `DAM_STORE_URL=file:///…` opens. Objects are plain files at their keys.

The blocking work is `FileTree`'s; this class runs it in threads of its own, so that neither a slow disk nor
somebody else's long work in the default threads holds the event loop or the store.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, ParamSpec, TypeVar

from dam.errors import SettingsError, StoreUnavailableError
from dam.store.files import FileTree
from dam.store.naming import check_key, check_metadata
from dam.store.port import ObjectInfo, ObjectStore, StoredObject, Streamed
from dam.store.tags import Tags

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

_P = ParamSpec("_P")
_T = TypeVar("_T")

_THREADS: Final = 8
_CHUNK: Final = 1 << 20
_PAGE: Final = 500
_PING_S: Final = 5.0


class FolderStore(ObjectStore):
    """Objects below one folder, which is made where it is missing."""

    def __init__(self, path: str | Path) -> None:
        root = Path(path).absolute()
        try:
            self._tree = FileTree(root)
        except OSError as error:
            raise SettingsError(
                f"The folder {root} of DAM_STORE_URL cannot be made: {error.strerror}."
            ) from error
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store")

    @property
    def url(self) -> str:
        """The folder."""
        return str(self._tree.root)

    async def put(  # noqa: PLR0913 - the port's
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> str:
        """See `ObjectStore.put`."""
        tags = _tags(key, content_type, metadata)

        def write() -> str:
            draft = self._tree.begin()
            try:
                for piece in [data] if isinstance(data, bytes) else _pieces(data):
                    self._tree.append(draft, key, piece)
                return self._tree.publish(draft, key, tags, if_absent=if_absent, if_match=if_match)
            finally:
                draft.discard()

        return await self._run(write)

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Streamed:
        """See `ObjectStore.put_stream`."""
        tags = _tags(key, content_type, metadata)
        draft = self._tree.begin()
        try:
            async for chunk in _gathered(chunks):
                await self._run(self._tree.append, draft, key, chunk)
            await self._run(self._tree.publish, draft, key, tags)
            return Streamed(draft.size, draft.sha256)
        finally:
            # Waits for a write that a cancellation has left running in its thread.
            await asyncio.shield(self._run(draft.discard))

    async def get(self, key: str) -> StoredObject:
        """See `ObjectStore.get`."""

        def read() -> StoredObject:
            file, info = self._tree.open(key)
            with file:
                return StoredObject(self._tree.read(key, file, -1), info)

        return await self._run(read)

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """See `ObjectStore.stream`."""
        opening = self._run(self._tree.open, key)
        try:
            file, info = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_file)
            raise
        try:
            left = (info.size if end is None else min(end, info.size)) - start
            await self._run(file.seek, start)
            while left > 0 and (chunk := await self._run(self._tree.read, key, file, min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk
        finally:
            file.close()

    async def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return await self._run(self._tree.info, key)

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        await self._run(self._tree.delete, key)

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        walk = self._tree.walk(prefix, start_after)
        while page := await self._run(lambda: list(islice(walk, _PAGE))):
            for info in page:
                yield info

    async def ping(self) -> None:
        """See `ObjectStore.ping`."""
        try:
            async with asyncio.timeout(_PING_S):
                await self._run(self._tree.check)
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"The folder {self._tree.root} has not answered for {_PING_S:.0f} s: is its disk there?"
            ) from error

    async def sign_url(self, key: str, *, expires_s: int, filename: str | None = None) -> str | None:  # noqa: ARG002 - the port's
        """None: files have no URL that anybody else could read."""
        check_key(key)
        return None

    async def close(self) -> None:
        """See `ObjectStore.close`."""
        await asyncio.to_thread(self._threads.shutdown)

    def _run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> asyncio.Future[_T]:
        call = asyncio.get_running_loop().run_in_executor
        return call(self._threads, lambda: function(*args, **kwargs))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _tags(key: str, content_type: str, metadata: Mapping[str, str] | None) -> Tags:
    check_key(key)
    check_metadata(key, metadata or {})
    return Tags(content_type, dict(metadata or {}))


def _close_file(opening: asyncio.Future[tuple[BinaryIO, ObjectInfo]]) -> None:
    """Close what was opened for a reader that has gone meanwhile."""
    if not opening.cancelled() and not opening.exception():
        opening.result()[0].close()


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces worth a trip to a thread."""
    waiting: list[bytes] = []
    size = 0
    async for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= _CHUNK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
