"""Reads one original as a stream: its SHA-256, its type, and, where it is to be taken, its pixels.

The file is temporary and the only copy; what is decoded is bounded by the pixels of all that are in hand.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dam import keys
from dam.errors import DamError
from dam.media import HEAD_BYTES, MediaType, sniff_type
from dam.pictures import decoding
from dam.pictures.counting import count_pixels
from dam.pictures.thumbnails import make_thumbnails, placeholder
from dam.room import Room

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from dam.store.port import ObjectStore

_PIXELS_AT_ONCE: Final = 50_000_000
"""As the orchestrator does it: a larger picture is decoded alone."""


class ScratchError(DamError):
    """The temporary folder is full, or gone."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an original is; `media_type` None for what the pipeline does not read."""

    sha256: str
    size: int
    media_type: MediaType | None


@dataclass(frozen=True, slots=True)
class Derived:
    """What is made of the pixels; `width` and `height` as displayed."""

    width: int
    height: int
    captured_at: datetime | None
    placeholder: str
    thumbnails: Mapping[int, bytes]


class Reader:
    """Reads originals of one bucket."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._pixels = Room(_PIXELS_AT_ONCE)

    async def read_head(self, key: str) -> MediaType | None:
        """The type by the first bytes alone. Raises `ObjectNotFoundError`, `StoreUnavailableError`."""
        head = b"".join([chunk async for chunk in self._store.stream(key, end=HEAD_BYTES)])
        return sniff_type(head)

    async def read(self, key: str, path: Path | None = None) -> Content:
        """The whole of it; kept at `path` where there is one.

        Raises:
            ObjectNotFoundError, StoreUnavailableError: it cannot be read.
            ScratchError: it cannot be kept.
        """
        digest, head, size = hashlib.sha256(), bytearray(), 0
        async for chunk in self._store.stream(key):
            digest.update(chunk)
            head += chunk[: HEAD_BYTES - len(head)]
            size += len(chunk)
            if path is not None:
                await asyncio.to_thread(_append, path, chunk)
        return Content(digest.hexdigest(), size, sniff_type(bytes(head)))

    @asynccontextmanager
    async def fetch(self, key: str) -> AsyncIterator[tuple[Content, Path]]:
        """The same, with its file while the context is open."""
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="original-") as file:
            path = Path(file.name)
            yield await self.read(key, path), path

    async def derive(self, path: Path) -> Derived:
        """Decode once and make everything of it. Raises `PictureError`."""
        async with self._pixels.hold(await asyncio.to_thread(count_pixels, path)):
            return await asyncio.to_thread(_derive, path)


def _append(path: Path, chunk: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(chunk)
    except OSError as error:
        raise ScratchError(
            f"The temporary file {path} cannot be written ({error.strerror}): make room, or name another "
            "folder in TMPDIR, then adopt again."
        ) from error


def _derive(path: Path) -> Derived:
    picture = decoding.read(path, max_side=max(keys.THUMBNAIL_SIZES))
    return Derived(
        width=picture.width,
        height=picture.height,
        captured_at=picture.captured_at,
        placeholder=placeholder(picture.image),
        thumbnails=make_thumbnails(picture.image, keys.THUMBNAIL_SIZES),
    )
