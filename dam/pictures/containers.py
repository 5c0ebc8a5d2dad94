"""What a picture file's structure says without decoding it: its kind where we cannot read it, where it ends.

Called by `decoding` to tell "not an image" from "a picture that is cut short". The kinds we read are told by
`dam.media`. It must never trust a file's name.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from dam import media

if TYPE_CHECKING:
    from dam.media import MediaType

_UNSUPPORTED: Final = (
    (b"II*\0\x10\0\0\0CR", "a Canon raw file"),  # a TIFF in form, a camera's raw data in fact
    (b"FUJIFILMCCD-RAW", "a Fujifilm raw file"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\1\0", "a Windows icon"),
    (b"\0\0\0\x0cjP  \r\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n", "a JPEG XL picture"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DirectDraw surface"),
    (b"%!PS-Adobe", "an EPS drawing"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
)
_END_MARKERS: Final = {media.JPEG: b"\xff\xd9", media.PNG: b"IEND", media.GIF: b"\0\x3b"}
_TRAILER_BYTES: Final = 64  # some writers pad; further back a marker may belong to an embedded thumbnail


def unsupported_kind(head: bytes) -> str | None:
    """What an image is that this project does not read, or None where it is no known image."""
    for signature, kind in _UNSUPPORTED:
        if head.startswith(signature):
            return kind
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<?xml", b"<!DOCTYPE svg", b"<!--", b"<svg")) and b"<svg" in head:
        return "an SVG drawing"
    return None


def webp_size(head: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP from its first 30 bytes: its decoder takes the canvas' memory on opening."""
    if len(head) < 30:  # noqa: PLR2004 - the longest of the three headers
        return None
    kind = head[12:16]
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def is_cut_short(data: bytes, kind: MediaType) -> bool:
    """Whether a file that could not be read ends before its own structure says it should.

    For files that already failed: an odd file may lack its end marker and still decode.
    """
    if kind in _END_MARKERS:
        return _END_MARKERS[kind] not in data[-_TRAILER_BYTES:]
    if kind == media.WEBP:
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind == media.BMP:
        return int.from_bytes(data[2:6], "little") > len(data)
    if kind == media.TIFF:
        return _directory_is_missing(data)
    return _box_ends_late(data)


def _box_ends_late(data: bytes) -> bool:
    """Whether a top-level ISO box reaches beyond the end; a size of 0 means "to the end", 1 a 64-bit size."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size == 0:
            return False
        at += max(size, 8)
    return at != len(data)


def _directory_is_missing(data: bytes) -> bool:
    """Whether a TIFF's first directory lies beyond the end."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    start = data[8:16] if big else data[4:8]
    layout = order + ("Q" if big else "I")
    return len(start) < struct.calcsize(layout) or struct.unpack(layout, start)[0] + 2 > len(data)
