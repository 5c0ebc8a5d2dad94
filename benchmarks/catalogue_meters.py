"""What a store was asked to write, counted at the store: a folder's files, or an S3 server's own counters."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.radosgw import Radosgw


class Reading(NamedTuple):
    """Since the store was made. Of a folder, requests are the objects written; of S3, all there were."""

    bytes_written: int
    requests: int


class Meter(Protocol):
    """Counts at one store."""

    def read(self) -> Reading:
        """As of now."""


class FolderMeter:
    """Counts the files that were not there, or not as they are now, at the last reading."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[tuple[str, int, int]] = set()
        self._reading = Reading(0, 0)

    def read(self) -> Reading:
        """See `Meter`."""
        size, requests = self._reading
        seen = set()
        for entry in _walk(os.fspath(self._folder)):
            facts = entry.stat()
            key = (entry.path, facts.st_ino, facts.st_mtime_ns)
            seen.add(key)
            if key not in self._seen:
                size += facts.st_size
                requests += 1
        self._seen, self._reading = seen, Reading(size, requests)
        return self._reading


class RadosgwMeter:
    """Asks the gateway."""

    def __init__(self, radosgw: Radosgw) -> None:
        self._radosgw = radosgw

    def read(self) -> Reading:
        """See `Meter`."""
        counted = self._radosgw.counters()
        return Reading(counted["put_b"], counted["req"])


def _walk(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            else:
                yield entry
