"""The raw file name in a part of a form; `dam.names` makes it safe to keep."""

from __future__ import annotations

from email.message import Message
from typing import Final

from python_multipart.multipart import parse_options_header

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
