"""Objects as plain files below one folder: the blocking half of `FolderStore`, which runs it in threads.

Owns the hidden folder `.dam/` beside the objects: drafts being written (`tmp/`), content type and metadata
(`meta/`), and locks. An object's bytes are a plain file at its key, so that people and Delta Lake can read
and write there too. Must never leave a half-written object visible, whatever process dies when.

An etag is modification time, size and inode. Every write here sets a time later than the one it replaces,
so an etag never comes back, however fast writes follow each other.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from dam.errors import ObjectNotFoundError, PreconditionFailedError, StoreError, StoreUnavailableError
from dam.store.draft import Draft, etag_of, link_or_rename, make_folders, prune, sweep, sync_folder
from dam.store.listing import Entry, describe, is_text, walk
from dam.store.naming import RESERVED, check_key
from dam.store.tags import Tags, TagTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.store.port import ObjectInfo

_LOCKS: Final = 256
_PLACING_ATTEMPTS: Final = 20
_WRONG_SHAPE: Final = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY}


class FileTree:
    """The objects below `root`. Safe for many threads and processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        own = root / RESERVED
        self._drafts, self._locks = own / "tmp", own / "locks"
        for folder in (self._drafts, self._locks, own / "meta"):
            folder.mkdir(parents=True, exist_ok=True)
        self._tags = TagTree(own / "meta")
        sweep(self._drafts)

    def begin(self) -> Draft:
        """A draft for `append` and `publish`; its maker discards it in the end. Touches no disk yet."""
        return Draft(self._drafts)

    def append(self, draft: Draft, key: str, data: bytes) -> None:
        """Write on."""
        with self._errors(key):
            draft.write(data)

    def publish(
        self, draft: Draft, key: str, tags: Tags, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Make a draft the object at `key`, durably, and return its etag."""
        with self._errors(key), draft.lock:
            draft.sync()
            with self._lock(key):
                current = self._status(key)
                if if_absent and current:
                    raise PreconditionFailedError(f"{key} exists already.")
                if if_match is not None and (not current or etag_of(current) != if_match):
                    raise PreconditionFailedError(f"{key} is no longer the version that was to be replaced.")
                etag = draft.stamp(current.st_mtime_ns if current else 0)
                try:
                    self._place(draft, key, tags, etag, new=if_absent)
                except BaseException:
                    self._tags.forget(key, etag)
                    raise
                if current:
                    self._tags.forget(key, etag_of(current))
                return etag

    def open(self, key: str) -> tuple[BinaryIO, ObjectInfo]:
        """The object's file, which stays the same bytes even when the object is replaced, and what it is."""
        with self._errors(key, reading=True):
            file = (self.root / key).open("rb")
            try:
                return file, self._info(key, os.fstat(file.fileno()))
            except BaseException:
                file.close()
                raise

    def read(self, key: str, file: BinaryIO, size: int) -> bytes:
        """The next bytes of an open object, at most `size` (-1: all)."""
        with self._errors(key):
            return file.read(size)

    def info(self, key: str) -> ObjectInfo:
        """Size, etag, type and metadata."""
        with self._errors(key, reading=True):
            status = self._status(key)
            if status is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            return self._info(key, status)

    def delete(self, key: str) -> None:
        """Remove the object and the folders it leaves empty."""
        with self._errors(key), self._lock(key):
            current = self._status(key)
            if current is None:
                return
            path = self.root / key
            path.unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # somebody else's deletion has pruned it
                sync_folder(path.parent)
            prune(path.parent, self.root)
            self._tags.forget(key, etag_of(current))

    def walk(self, prefix: str, start_after: str) -> Iterator[ObjectInfo]:
        """Objects in key order."""
        return walk(self._entries, prefix, start_after)

    def check(self) -> None:
        """Raise `StoreUnavailableError` unless objects can be read and written now."""
        if not self._drafts.is_dir():
            raise self._gone()
        if not os.access(self._drafts, os.R_OK | os.W_OK):
            raise StoreUnavailableError(f"The folder {self.root} cannot be written: check its permissions.")

    def _entries(self, at: str) -> list[Entry]:
        """What lies right below `at`, in key order."""
        found: list[Entry] = []
        with self._errors(at, listing=True), suppress(FileNotFoundError, NotADirectoryError):
            if not self._drafts.is_dir():
                raise self._gone()
            with os.scandir(self.root / at) as entries:
                for entry in entries:
                    if not is_text(entry.name) or (not at and entry.name == RESERVED):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        found.append((f"{entry.name}/", entry))
                    elif entry.is_file():
                        found.append((entry.name, entry))
        return sorted(found, key=lambda pair: pair[0])

    def _place(self, draft: Draft, key: str, tags: Tags, etag: str, *, new: bool) -> None:
        """Give the draft its name. Tried again when a deletion prunes the folder that was just made."""
        path = self.root / key
        for attempt in range(_PLACING_ATTEMPTS):
            try:
                self._tags.write(key, etag, tags)
                make_folders(path.parent, self.root)
                if new:
                    link_or_rename(draft.path, path)
                else:
                    draft.path.replace(path)
                return sync_folder(path.parent)
            except FileExistsError as error:
                if path.is_file():  # written by somebody who takes no lock
                    raise PreconditionFailedError(f"{key} exists already.") from error
                raise
            except FileNotFoundError:
                if attempt == _PLACING_ATTEMPTS - 1 or not draft.path.exists():
                    raise
        return None

    def _status(self, key: str) -> os.stat_result | None:
        try:
            status = (self.root / key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def _info(self, key: str, status: os.stat_result) -> ObjectInfo:
        return describe(key, status, self._tags.read(key, etag_of(status)))

    @contextmanager
    def _lock(self, key: str) -> Iterator[None]:
        """Keep other writers of this key away, in threads and processes; ends with its holder's death."""
        number = os.open(self._locks / f"{zlib.crc32(key.encode()) % _LOCKS:02x}", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)

    @contextmanager
    def _errors(self, key: str, *, reading: bool = False, listing: bool = False) -> Iterator[None]:
        """Turn the file system's errors into the port's; first of all refuse a wrong key."""
        if not listing:
            check_key(key)
        try:
            yield
        except OSError as error:
            if not self._drafts.is_dir():
                raise self._gone() from error
            if reading and isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError)):
                raise ObjectNotFoundError(f"There is no object {key} in {self.root}.") from error
            if error.errno in _WRONG_SHAPE:
                raise StoreError(f"{key} cannot be a file in {self.root}: {error.strerror}.") from error
            raise StoreUnavailableError(
                f"The folder {self.root} could not serve {key}: {error.strerror or error}."
            ) from error

    def _gone(self) -> StoreUnavailableError:
        return StoreUnavailableError(f"The folder {self.root} is gone: mount or restore it, then try again.")
