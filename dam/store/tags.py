"""Content type and metadata of objects in a folder: one small JSON file beside the tree for each version.

Blocking; called by `FileTree` alone. A file's name carries the etag of the version it belongs to, so that it
can be written before the object appears and can never be taken for another version's.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from dam.store.draft import make_folders, prune, sync_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class Tags:
    """What an object carries besides its bytes; the defaults are those of a file that others wrote."""

    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)


class TagTree:
    """The tags of all objects below one hidden folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, key: str, etag: str, tags: Tags) -> None:
        """Keep the tags of a version that is about to appear, durably."""
        if tags == Tags():
            return
        path = self._path(key, etag)
        make_folders(path.parent, self._root)
        with path.open("w", encoding="utf-8") as file:
            json.dump(asdict(tags), file)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)

    def read(self, key: str, etag: str) -> Tags:
        """The tags of a version; defaults where there are none."""
        try:
            body = json.loads(self._path(key, etag).read_text(encoding="utf-8"))
            return Tags(body["content_type"], body["metadata"])
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
            return Tags()

    def forget(self, key: str, etag: str) -> None:
        """Remove the tags of a version that is gone."""
        path = self._path(key, etag)
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            prune(path.parent, self._root)

    def _path(self, key: str, etag: str) -> Path:
        return self._root / f"{key}~{etag}{_SUFFIX}"
