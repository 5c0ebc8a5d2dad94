"""What the first bytes of a file say it is, and whether it ends too early; no pixels, no Pillow.

Called by `decoding` to tell "not an image" from "a picture that is cut short", and by whoever needs a type
from content. It must never trust a file's name and never read more than it is given.
"""

from __future__ import annotations

import struct
from typing import Final

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
WEBP: Final = "image/webp"
GIF: Final = "image/gif"
TIFF: Final = "image/tiff"
BMP: Final = "image/bmp"
HEIC: Final = "image/heic"
AVIF: Final = "image/avif"
SUPPORTED: Final = frozenset({JPEG, PNG, WEBP, GIF, TIFF, BMP, HEIC, AVIF})
"""The types that `decoding` reads."""

SNIFF_BYTES: Final = 1024
"""How many first bytes `sniff` wants; fewer do for every supported type."""

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0\x10\0\0\0CR", "image/x-canon-cr2"),  # a TIFF in form, a camera's raw data in fact
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"\0\0\1\0", "image/x-icon"),
    (b"\0\0\0\x0cjP  \r\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
    (b"\xff\x0a", "image/jxl"),
    (b"\0\0\0\x0cJXL \r\n", "image/jxl"),
    (b"qoif", "image/qoi"),
    (b"DDS ", "image/vnd-ms.dds"),
    (b"%!PS-Adobe", "image/x-eps"),
    (b"\x76\x2f\x31\x01", "image/x-exr"),
    (b"FUJIFILMCCD-RAW", "image/x-fuji-raf"),
)
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_END_MARKERS: Final = {JPEG: b"\xff\xd9", PNG: b"IEND", GIF: b"\0\x3b"}
_TRAILER_BYTES: Final = 64  # some writers pad; further back a marker may belong to an embedded thumbnail
_BMP_HEADER_SIZES: Final = frozenset({12, 40, 52, 56, 64, 108, 124})


def sniff(head: bytes) -> str | None:
    """The MIME type that the first bytes announce, or None where they are no known picture format's."""
    for signature, mime_type in _SIGNATURES:
        if head.startswith(signature):
            return mime_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _iso_type(head)
    # Two letters are a weak signature: the size of the header that follows must be a known one too.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return BMP
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"<?xml", b"<!DOCTYPE svg", b"<!--", b"<svg")) and b"<svg" in head:
        return "image/svg+xml"
    return None


def _iso_type(head: bytes) -> str | None:
    """HEIC and AVIF share a container; the brands tell which one it is."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _HEIC_BRANDS or head[8:12] in {b"mif1", b"msf1"}:
        return HEIC
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


def is_cut_short(data: bytes, mime_type: str) -> bool:
    """Whether a file that could not be read ends before its own structure says it should.

    For files that already failed: an odd file may lack its end marker and still decode.
    """
    if mime_type in _END_MARKERS:
        return _END_MARKERS[mime_type] not in data[-_TRAILER_BYTES:]
    if mime_type == WEBP:
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if mime_type == BMP:
        return int.from_bytes(data[2:6], "little") > len(data)
    if mime_type in {HEIC, AVIF}:
        return _box_ends_late(data)
    return mime_type == TIFF and _directory_is_missing(data)


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
