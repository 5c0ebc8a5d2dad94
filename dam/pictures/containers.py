"""What a picture file's structure says without decoding it: its kind where we cannot read it, where it ends.

Called by `decoding` to tell "not an image" from "a picture that is cut short". The kinds we read are told by
`dam.media`. It must never trust a file's name.
"""

from __future__ import annotations

import io
import mmap
import re
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

from dam import media

if TYPE_CHECKING:
    from dam.media import MediaType

_UNSUPPORTED: Final = (
    (b"II*\0\x10\0\0\0CR", "a Canon raw file"),  # a TIFF in form, a camera's raw data in fact
    (b"FUJIFILMCCD-RAW", "a Fujifilm raw file"),
    (b"IIU\0", "a Panasonic raw file"),
    (b"IIRO", "an Olympus raw file"),
    (b"IIRS", "an Olympus raw file"),
    (b"MMOR", "an Olympus raw file"),
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
_JPEG_MARKER: Final = re.compile(
    rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL
)  # none of those within pixel data
MAX_SCANS: Final = 100
"""Of one JPEG; encoders make a dozen. At 100 million pixels each takes about 70 ms."""
_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_TIFF_TYPE_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}
_TRAILER_BYTES: Final = 64  # some writers pad; further back a marker may belong to an embedded thumbnail


def unsupported_kind(head: bytes) -> str | None:
    """What an image is that this project does not read, or None where it is no known image."""
    for signature, kind in _UNSUPPORTED:
        if head.startswith(signature):
            return kind
    if head[4:12] == b"ftypcrx ":
        return "a Canon raw file"
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


def has_too_many_scans(file: BinaryIO) -> bool:
    """Whether a JPEG goes over its pixels more than `MAX_SCANS` times: a small file may ask for hours so."""
    if isinstance(file, io.BytesIO):
        return _has_too_many_scans(file.getvalue())  # shared, not copied
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
        return _has_too_many_scans(data)


def _has_too_many_scans(data: bytes | mmap.mmap) -> bool:
    # Cheap first: pixels never spell a marker, so these are the scans and a few that profiles may hold.
    at, marks = -1, 0
    while marks <= MAX_SCANS and (at := data.find(b"\xff\xda", at + 1)) >= 0:
        marks += 1
    if marks <= MAX_SCANS:
        return False
    at, scans = 2, 0
    while scans <= MAX_SCANS and (found := _JPEG_MARKER.search(data, at)) and found[1] != b"\xd9":
        scans += found[1] == b"\xda"
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return scans > MAX_SCANS


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
        return _directory_ends_late(data)
    return boxes_end_late(io.BytesIO(data)) or _box_is_missing(data)


def unseen_fault(file: BinaryIO, kind: MediaType) -> str | None:
    """The code of what is wrong with a file that was decoded, by what Pillow does not look at, or None.

    A download that broke off over a file of its final size leaves zeros, and zeros may decode.
    """
    if kind == media.PNG:
        return _png_fault(file)
    if kind == media.JPEG:
        file.seek(-2, io.SEEK_END)
        if file.read() != b"\xff\xd9":  # nearly every file ends in its end marker
            file.seek(0)
            return _jpeg_fault(file.read())
    return None


def _jpeg_fault(data: bytes) -> str | None:
    """Whether the picture's own end marker is there, behind segments that may hold whole other JPEGs."""
    at = 2
    while found := _JPEG_MARKER.search(data, at):
        if found[1] == b"\xd9":
            return None
        at = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return "truncated"


def _png_fault(file: BinaryIO) -> str | None:
    """Whether the pixels' checksums are right, and the end is there."""
    file.seek(len(_PNG_SIGNATURE))
    while len(header := file.read(8)) == 8:  # noqa: PLR2004 - length and name
        length, name = struct.unpack(">I4s", header)
        if name == b"IEND":
            return None
        if name == b"IDAT":
            body, checksum = file.read(length), file.read(4)
            if len(checksum) < 4:  # noqa: PLR2004 - a CRC
                break
            if zlib.crc32(body, zlib.crc32(name)) != int.from_bytes(checksum, "big"):
                return "broken_image"
        else:
            file.seek(length + 4, io.SEEK_CUR)
    return "truncated"


def boxes_end_late(file: BinaryIO) -> bool:
    """Whether a top-level ISO box reaches beyond the end; a size of 0 means "to the end", 1 a 64-bit size."""
    length, at = file.seek(0, io.SEEK_END), 0
    while at + 8 <= length:
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size == 0:
            return False
        at += max(size, 8)
    return at != length


def _box_is_missing(data: bytes) -> bool:
    """Whether the file ends before the box of its structure, or the one of its pixels."""
    return b"meta" not in data or not (b"mdat" in data or b"idat" in data)


def _directory_ends_late(data: bytes) -> bool:
    """Whether a TIFF's first directory, or a value that it points to, lies beyond the end."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    word, count, entry, offset = ("Q", "Q", 20, 8) if big else ("I", "H", 12, 4)

    def number(layout: str, at: int) -> int:
        return int(struct.unpack_from(order + layout, data, at)[0])

    try:
        at = number(word, offset)
        entries = number(count, at)
        at += struct.calcsize(count)
        number(word, at + entries * entry)  # where the next directory is, the last that this one says
        for start in range(at, at + entries * entry, entry):
            size = _TIFF_TYPE_BYTES.get(number("H", start + 2), 0) * number(word, start + 4)
            value = number(word, start + entry - offset)
            if size > offset and value + size > len(data):
                return True
    except (struct.error, OverflowError):  # beyond the end, or beyond any memory
        return True
    return False
