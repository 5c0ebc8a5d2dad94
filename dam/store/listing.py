"""In which order the files of a folder are its objects; `FileTree` brings the entries and calls this.

Must never hold more than one folder's names on each level at once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dam.store.draft import etag_of
from dam.store.port import ObjectInfo
from dam.store.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Entry = tuple[str, os.DirEntry[str]]
"""A file by its name, or a folder by its name with a slash, so that both sort as their keys do."""


def walk(entries: Callable[[str], list[Entry]], prefix: str, start_after: str) -> Iterator[ObjectInfo]:
    """Objects in key order. Text sorts by code point, which is the order of UTF-8 bytes.

    `entries` lists what is right below a folder, given with its slash.
    """
    folder, slash, _ = prefix.rpartition("/")
    if not {"", ".", ".."} & set(folder.split("/")) or not slash:
        yield from _walk(entries, folder + slash, prefix, start_after)


def _walk(
    entries: Callable[[str], list[Entry]], at: str, prefix: str, start_after: str
) -> Iterator[ObjectInfo]:
    for name, entry in entries(at):
        key = at + name
        if name.endswith("/"):
            passed = key <= start_after and not start_after.startswith(key)
            if not passed and (key.startswith(prefix) or prefix.startswith(key)):
                yield from _walk(entries, key, prefix, start_after)
        elif key.startswith(prefix) and key > start_after:
            with suppress(FileNotFoundError):  # removed since
                yield describe(key, entry.stat(), Tags())


def describe(key: str, status: os.stat_result, tags: Tags) -> ObjectInfo:
    """An object, from its file and its tags."""
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return ObjectInfo(key, status.st_size, etag_of(status), modified, tags.content_type, tags.metadata)


def is_text(name: str) -> bool:
    """Whether a file's name is UTF-8; no key can spell another."""
    return name.encode(errors="ignore").decode() == name
