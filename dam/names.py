"""Texts as people and clients send them, made safe to keep, show and offer for download.

Ingest keeps file names by it, the gallery's edits everything else. A name is never used as a path or to tell
a type; it is kept because people search for it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_BYTES: Final = 255
"""In UTF-8, as file systems count; percent-encoded it fits S3's 2 KB of metadata even so."""

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Direction marks: they make `gpj.exe` look like `exe.jpg`."""
_CONTROL: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff"
_UNSAFE: Final = re.compile(rf"[{_CONTROL}\t\n\u2028\u2029{_BIDI}]")
_UNWRITABLE: Final = re.compile(rf"[{_CONTROL}]")


def safe_name(name: str) -> str:
    """Without folders, control characters and direction marks, cut to `MAX_BYTES`; "" if nothing is left."""
    name = _UNSAFE.sub("", unicodedata.normalize("NFC", name))
    name = re.split(r"[/\\]", name)[-1].strip()
    return "" if name in {".", ".."} else _shorten(name)


def clean_line(text: str) -> str:
    """One line: without control characters, white space as single blanks."""
    return " ".join(_UNWRITABLE.sub("", unicodedata.normalize("NFC", text)).split())


def clean_text(text: str) -> str:
    """Paragraphs: without control characters; line ends and indents stay."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNWRITABLE.sub("", text).strip()


def _shorten(name: str) -> str:
    """Cut the middle, so that the extension stays; never inside a character."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f".{extension}" if dot and len(extension.encode()) <= 16 else ""  # noqa: PLR2004 - as long as any
    stem = stem if ending else name
    return stem.encode()[: MAX_BYTES - len(ending.encode())].decode(errors="ignore") + ending
