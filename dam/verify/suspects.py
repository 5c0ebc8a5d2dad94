"""What looked wrong at the first look, kept in a file until the second one: there may be a million of it."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_AT_ONCE: Final = 128
_HELD: Final = 1024


class Suspects:
    """One file of JSON lines; first everything is added, then it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: list[str] = []
        self.count = 0

    def add(self, name: str, found: set[str], **known: Any) -> None:
        """One asset or content, the keys at which something looked wrong, and what is worth remembering."""
        self._held.append(json.dumps({"name": name, "keys": sorted(found), **known}) + "\n")
        self.count += 1
        if len(self._held) == _HELD:
            self._write()

    def read(self) -> Iterator[list[dict[str, Any]]]:
        """All of them, some at a time."""
        self._write()
        with self._path.open() as file:
            lines = map(json.loads, file)
            while some := list(islice(lines, _AT_ONCE)):
                yield some

    def _write(self) -> None:
        with self._path.open("a") as file:
            file.writelines(self._held)
        self._held = []
