"""The folder that is exported to: what is there, and files that are there whole or not at all.

The exporter calls this. It must never overwrite or remove a file that an export has not written.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dam.errors import DamError
from dam.export.ledger import Place
from dam.export.names import JSON, XMP
from dam.export.sidecars import KIND
from dam.ids import is_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_PART: Final = ".dam-export-"
"""Beginning of the names of files that are being written."""
_LARGEST_SIDECAR: Final = 64 << 20
_PIECE: Final = 1 << 20


class TargetError(DamError):
    """The folder cannot be used; the message says why."""


class DamagedError(DamError):
    """An original is not what the catalogue says it is: in the bucket, or in the folder."""


class Target:
    """One folder, locked for one export at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep other exports out of it. Raises `TargetError`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise TargetError(f"{self.folder} cannot be used: {error.strerror}.") from error
        with _closing(handle):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise TargetError(f"Another export is writing to {self.folder} already.") from error
            yield

    def find_places(self) -> Iterator[Place]:
        """Originals that exports have completed, by their sidecars; what was left half written is removed."""
        for folder, subfolders, names in os.walk(self.folder):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            for name in names:
                path = Path(folder, name)
                if name.startswith(_PART):
                    path.unlink(missing_ok=True)
                elif name.endswith(JSON) and (place := self._read_place(path)):
                    yield place

    def _read_place(self, path: Path) -> Place | None:
        """None where it is another program's."""
        try:
            if path.stat().st_size > _LARGEST_SIDECAR:
                return None
            told = json.loads(path.read_bytes())
            if told["kind"] != KIND or not is_id(told["id"]) or path.name != f"{told['file']}{JSON}":
                return None
            original = str(path.relative_to(self.folder)).removesuffix(JSON)
            return Place(original, told["id"], int(told["revision"]), int(told["schema"]), told["xmp_sha256"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def check_room(self, size: int) -> None:
        """Raise `TargetError` where the disk has less room than that."""
        free = shutil.disk_usage(self.folder).free
        if size > free:
            raise TargetError(
                f"{size:,} bytes are to be exported, and the disk of {self.folder} has {free:,} left."
            )

    def path(self, place: str) -> Path:
        """Where a relative path lies."""
        return self.folder / place

    def is_free(self, place: str, size: int | None, sha256: str | None) -> bool:
        """Whether an asset may be written there: nothing is, or an export that was cut off left just that."""
        path = self.path(place)
        if os.path.lexists(path.with_name(path.name + JSON)):
            return False
        if os.path.lexists(path):
            same_size = path.is_file() and path.stat().st_size == size
            return same_size and sha256 is not None and hash_file(path) == sha256
        return not os.path.lexists(path.with_name(path.name + XMP))

    def write(self, place: str, data: bytes) -> None:
        """A whole file in place of the one that is there."""
        with self._part_of(place) as part:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path(place))

    async def receive(
        self, place: str, chunks: AsyncIterator[bytes], size: int | None, sha256: str | None
    ) -> None:
        """Write a stream, if it is what it should be.

        Raises:
            DamagedError: its size or its SHA-256 is another; nothing is written.
        """
        digest, count = hashlib.sha256(), 0
        with self._part_of(place) as part:
            with part.open("wb") as file:
                async for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    count += len(chunk)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            if size in {None, count} and sha256 in {None, digest.hexdigest()}:
                part.replace(self.path(place))
                return
        raise DamagedError("its bytes in the bucket are not those that were uploaded")

    @contextmanager
    def _part_of(self, place: str) -> Iterator[Path]:
        """Where a file is written before it gets its name: that never stands for less than all its bytes."""
        name = hashlib.sha256(place.encode()).hexdigest()[:16]
        part = self.path(place).with_name(f"{_PART}{name}")
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    """A lock goes with its descriptor."""
    try:
        yield
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest()
