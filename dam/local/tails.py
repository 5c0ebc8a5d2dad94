"""Log files that are read while they grow, as whole lines.

`dam up` reads what its services write. Services write to files, never to us: one that is not read, because
the terminal is held or we are gone, writes on.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_AT_ONCE: Final = 256 << 10
_LONGEST: Final = 16 << 10
"""Bytes of a line that are shown; its file has them all."""
_LAST: Final = 20


class Tail:
    """One file from where it ends now; it need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0
        self._rest = b""
        self.last: deque[str] = deque(maxlen=_LAST)
        """The last lines that were read."""

    def read(self) -> list[str]:
        """The lines that were completed since, at most some hundred kilobytes of them."""
        *whole, self._rest = (self._rest + self._read_on()).split(b"\n")
        if len(self._rest) > _LONGEST:  # its end will come as a line of its own
            whole, self._rest = [*whole, self._rest], b""
        return self._take(whole)

    def finish(self) -> list[str]:
        """All that is left, when nobody writes any more: a last line may lack its end."""
        lines = []
        while found := self.read():
            lines += found
        rest, self._rest = self._rest, b""
        return lines + self._take([rest] if rest else [])

    def _read_on(self) -> bytes:
        try:
            if self._path.stat().st_size < self._at:  # somebody emptied it
                self._at, self._rest = 0, b""
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read(_AT_ONCE)
        except FileNotFoundError:
            return b""
        self._at += len(data)
        return data

    def _take(self, lines: list[bytes]) -> list[str]:
        told = [_decode(line) for line in lines]
        self.last.extend(told)
        return told


def _decode(line: bytes) -> str:
    """For the eye: a progress bar that was drawn over and over is shown as it was last."""
    text = line[:_LONGEST].decode(errors="replace").rstrip("\r")
    return text.rpartition("\r")[2]
