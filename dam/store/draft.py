"""Durable file operations of the folder adapter: a file is written out of sight, then given its name at once.

Blocking; called by `FileTree` alone. Knows paths and no keys. Errors pass through as `OSError`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from pathlib import Path

_ABANDONED_S: Final = 24 * 3600
"""A draft that nobody has written to for so long belonged to a process that died."""
_NO_LINKS: Final = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


class Draft:
    """A file that is being written and that no listing shows; `FileTree.publish` makes it an object.

    A cancelled caller leaves a thread at work, so every use holds `lock`, and nothing follows `discard`.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / uuid.uuid4().hex
        self.size = 0
        self.lock = threading.RLock()
        self._file: BinaryIO | None = None
        self._discarded = False
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what was written, lower-case hex."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append."""
        with self.lock:
            self._open().write(data)
            self.size += len(data)
            self._hash.update(data)

    def sync(self) -> None:
        """Make the bytes durable; done before the key is locked, because it can take long."""
        file = self._open()
        file.flush()
        os.fsync(file.fileno())

    def stamp(self, after_ns: int) -> str:
        """Set a modification time later than `after_ns` and return the etag that follows from it."""
        number, step = self._open().fileno(), 1
        wanted = max(time.time_ns(), after_ns + 1)
        os.utime(number, ns=(wanted, wanted))
        while os.fstat(number).st_mtime_ns <= after_ns:  # a file system with coarser times
            step *= 10
            os.utime(number, ns=(wanted + step, wanted + step))
        os.fsync(number)
        return etag_of(os.fstat(number))

    def discard(self) -> None:
        """Close, and remove what was not published."""
        with self.lock:
            self._discarded = True
            if self._file:
                self._file.close()
            self.path.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        if self._discarded:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))
        if self._file is None:
            self._file = self.path.open("xb")
        return self._file


def etag_of(status: os.stat_result) -> str:
    """Modification time, size and inode: cheap, and never the same again (see `Draft.stamp`)."""
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"


def link_or_rename(draft: Path, path: Path) -> None:
    """Give the draft a name that must be free. Raises `FileExistsError`."""
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links: the caller's lock keeps our own processes apart.
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        draft.replace(path)


def make_folders(folder: Path, top: Path) -> None:
    """Make `folder` and what is missing above it, durably, but never `top` itself."""
    if folder == top or folder.is_dir():
        return
    make_folders(folder.parent, top)
    with suppress(FileExistsError):
        folder.mkdir()
        sync_folder(folder.parent)


def prune(folder: Path, top: Path) -> None:
    """Remove `folder` and those above it as far as they are empty, up to and without `top`."""
    with suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def sweep(folder: Path) -> None:
    """Remove the drafts that processes left when they died."""
    for draft in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_S:
                draft.unlink()
