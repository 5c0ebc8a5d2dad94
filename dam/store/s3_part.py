"""The bytes of one upload to S3, or of one part of it: filled, hashed and sent from the same memory.

`s3_upload` fills and hashes it, botocore and aiohttp take it as a body, `s3_signing` asks for its hash. It
knows no bucket and no key.
"""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PART: Final = 5 << 20
"""Bytes. The smallest that S3 takes, because a part is held in memory; R2 wants all but the last equal."""

_SMALL: Final = 1 << 20
_PIECE: Final = 256 << 10
"""Bytes given to the connection at once."""


class Part:
    """A body: to botocore a file; to aiohttp, which copies what it reads from files, an iterable."""

    def __init__(self) -> None:
        self._room: bytearray | mmap.mmap = bytearray()
        self._size = 0
        self._at = 0
        self.sha256 = ""
        """Of what is in it, lower-case hex; set before it is sent."""

    def __len__(self) -> int:
        """Bytes in it."""
        return self._size

    @property
    def data(self) -> memoryview:
        """What is in it; not a copy."""
        return memoryview(self._room)[: self._size]

    def fill(self, data: memoryview) -> memoryview:
        """Append what fits and return the rest."""
        begin = self._size
        fitting = data[: PART - begin]
        self._size += len(fitting)
        if self._size > _SMALL and isinstance(self._room, bytearray):
            self._room = _enlarge(self._room)
        self._room[begin : self._size] = fitting
        return data[len(fitting) :]

    def clear(self) -> None:
        """Begin anew in the same memory."""
        self._size = self._at = 0

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        """All of it, in pieces."""
        for at in range(0, self._size, _PIECE):
            yield self.data[at : at + _PIECE]

    def read(self, size: int = -1) -> bytes:
        """See `io.BufferedIOBase`."""
        begin, self._at = self._at, self._size if size < 0 else min(self._at + size, self._size)
        return bytes(self._room[begin : self._at])

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See `io.IOBase`."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def tell(self) -> int:
        """See `io.IOBase`."""
        return self._at


def _enlarge(begun: bytearray) -> mmap.mmap:
    """Room for a whole part, apart from the heap, in which growing bit by bit leaves holes.

    What is never filled is never there, and all of it goes back at once.
    """
    room = mmap.mmap(-1, PART, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    room[: len(begun)] = begun
    return room
