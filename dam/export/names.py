"""The names of exported files: those that people gave, made safe on every file system and unique.

The exporter calls this. An asset's candidates depend on its row alone, so a repeated export finds its files
again. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from dam.names import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.catalogue import Row

XMP: Final = ".xmp"
JSON: Final = ".json"
_SIDECARS: Final = (XMP, JSON)
_LONGEST: Final = 255
"""Bytes of a name, on nearly every file system."""
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*]')
"""Windows, and with it every exFAT disk, takes none of them."""
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNDATED: Final = "undated"


def find_folder(row: Row) -> str:
    """Year and month of arrival, which never change: `2026/05`."""
    return f"{row.received_at:%Y/%m}" if row.received_at else _UNDATED


def list_candidates(row: Row) -> Iterator[str]:
    """Names for the original, the wanted one first; the last is nobody else's."""
    stem, extension = _split(row)
    for ending in ("", f"-{row.id[-8:]}", f"-{row.id}"):
        yield f"{_cut(stem, extension, ending)}{ending}{extension}"


def fold(path: str) -> str:
    """Two paths that some file system takes for one have the same."""
    return unicodedata.normalize("NFC", path).casefold()


def _split(row: Row) -> tuple[str, str]:
    """Stem and extension (with its dot) of a safe name; what has none gets the one of its type."""
    name = _FORBIDDEN.sub("_", safe_name(row.filename or "")).rstrip(". ")
    name = name.lstrip(". ") or row.id
    if _DEVICES.fullmatch(name):
        name = f"_{name}"
    stem, dot, extension = name.rpartition(".")
    known = (row.r2_key or "").rpartition("/")[2].rpartition(".")[2]
    if not dot or not stem or f".{extension}".lower() in _SIDECARS:
        return name, f".{known}" if known else ".bin"
    return stem, f".{extension}"


def _cut(stem: str, extension: str, ending: str) -> str:
    """As much of the stem as leaves room for the longest sidecar's ending; never half a character."""
    room = _LONGEST - len((ending + extension + max(_SIDECARS, key=len)).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") or "_"
