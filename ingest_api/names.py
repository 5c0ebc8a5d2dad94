"""File names as clients send them, made safe to keep, show and offer for download.

A name is never used as a path or to tell a type; it is kept because people search for it.
"""

from __future__ import annotations

import re
import unicodedata
from email.message import Message
from typing import Final

from python_multipart.multipart import parse_options_header

MAX_BYTES: Final = 255
"""In UTF-8, as file systems count; percent-encoded it fits S3's 2 KB of metadata even so."""

_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Direction marks: they make `gpj.exe` look like `exe.jpg`."""
_UNSAFE: Final = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff{_BIDI}]")
_ESCAPED_BY_BROWSERS: Final = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))


def sent_name(content_disposition: bytes) -> str | None:
    """The raw file name of a part, or None for a part that is no file.

    `filename` counts before `filename*`, which RFC 7578 forbids in forms and some clients send alone. Bytes
    that are not UTF-8 are read as Latin-1.
    """
    _, options = parse_options_header(content_disposition)
    raw = options.get(b"filename")
    if raw is None:
        message = Message()
        message["content-disposition"] = content_disposition.decode("latin-1")
        return message.get_filename()
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = raw.decode("latin-1")
    for escaped, character in _ESCAPED_BY_BROWSERS:
        name = name.replace(escaped, character)
    return name


def safe_name(name: str) -> str:
    """Without folders, control characters and direction marks, cut to `MAX_BYTES`; "" if nothing is left."""
    name = _UNSAFE.sub("", unicodedata.normalize("NFC", name))
    name = re.split(r"[/\\]", name)[-1].strip()
    return "" if name in {".", ".."} else _shorten(name)


def _shorten(name: str) -> str:
    """Cut the middle, so that the extension stays; never inside a character."""
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f".{extension}" if dot and len(extension.encode()) <= 16 else ""  # noqa: PLR2004 - as long as any
    stem = stem if ending else name
    return stem.encode()[: MAX_BYTES - len(ending.encode())].decode(errors="ignore") + ending
