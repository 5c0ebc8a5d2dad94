"""Small files that ask for much: pixels, frames, directories, scans."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image

from tests.pictures.files import encode, png, png_chunk, scene, tiff, written
from tests.pictures.test_refusals import LARGE, bombs, resized

_RGB = {256: (3, (4,)), 257: (3, (4,)), 258: (3, (8, 8, 8)), 262: (3, (2,)), 277: (3, (3,))}
_PIXELS = bytes(range(48))


def huge() -> list[bytes]:
    """Sides of 60,000 pixels in the header, in every kind."""
    return [*bombs().values(), resized("heic", *LARGE)]


def huge_and_true() -> list[bytes]:
    """A PNG that really holds its 30,000 by 30,000 pixels, in a hundred kilobytes."""
    return [_blank(30_000, 1, 0)]


def large() -> list[bytes]:
    """Twelve million pixels: one bit each, three colours, and with alpha; a JPEG of all that is allowed."""
    grey = Image.new("L", (10_000, 10_000), 77)
    return [_blank(3_464, 1, 0), _blank(3_464, 8, 2), _blank(3_464, 8, 6), encode(grey, "JPEG")]


def _blank(side: int, depth: int, colour_type: int) -> bytes:
    """A square PNG of zeros, packed row by row."""
    samples = {0: 1, 2: 3, 6: 4}[colour_type]
    row = bytes(1 + (side * depth * samples + 7) // 8)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, colour_type, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def huge_tile() -> list[bytes]:
    """A TIFF of 16 by 16 pixels in one tile of gigabytes."""
    entries = {256: (3, (16,)), 257: (3, (16,)), 258: (3, (8,)), 259: (3, (8,)), 262: (3, (1,))}
    tile = {322: (4, (60_000,)), 323: (4, (60_000,)), 324: (4, (8,)), 325: (4, (20,))}
    return [tiff(entries | tile, zlib.compress(bytes(256)))]


def deflate() -> list[bytes]:
    """More pixel data than the picture has, by hundreds of megabytes: PNG and TIFF."""
    zeros = zlib.compress(bytes(300_000_000), 1)
    start = written("png")[:33]
    entries = _RGB | {259: (3, (8,)), 278: (3, (4,))}
    return [
        start + png_chunk(b"IDAT", zeros) + png_chunk(b"IEND", b""),
        tiff(entries, zeros),
    ]


def deflate_beside() -> list[bytes]:
    """A comment, and a colour profile, that unpack to hundreds of megabytes."""
    zeros = zlib.compress(bytes(200_000_000), 1)
    chunks = (png_chunk(b"zTXt", b"Comment\0\0" + zeros), png_chunk(b"iCCP", b"profile\0\0" + zeros))
    return [png(1, 1, 8, 2, bytes(3), chunk) for chunk in chunks]


def comments() -> list[bytes]:
    """A PNG with ten thousand comments."""
    return [png(1, 1, 8, 2, bytes(3), png_chunk(b"tEXt", b"Comment\0" + b"x" * 50) * 10_000)]


def frames() -> list[bytes]:
    """Ten thousand frames: GIF, WebP, APNG."""
    return [_gif_of(10_000), _webp_of(10_000), _apng_of(10_000)]


def _gif_of(count: int) -> bytes:
    whole = encode(scene().quantize(16), "GIF")
    frame = whole[whole.index(b",\0\0\0\0") : -1]
    return whole[:-1] + frame * (count - 1) + b";"


def _webp_of(count: int) -> bytes:
    small = encode(scene(8, 8), "WEBP")[12:]
    size = (7).to_bytes(3, "little") * 2
    body = bytes(6) + size + bytes(4) + small
    frame = b"ANMF" + struct.pack("<I", len(body)) + body
    head = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    riff = b"WEBP" + head + b"ANIM" + struct.pack("<I", 6) + bytes(6) + frame * count
    return b"RIFF" + struct.pack("<I", len(riff)) + riff


def _apng_of(count: int) -> bytes:
    whole = png(8, 8, 8, 2, bytes(192))
    control = struct.pack(">IIIIHHBB", 8, 8, 0, 0, 1, 10, 0, 0)
    pixels = zlib.compress(bytes(200))
    chunks = [png_chunk(b"acTL", struct.pack(">II", count, 0)), png_chunk(b"fcTL", bytes(4) + control)]
    later = []
    for number in range(1, count):
        later.append(png_chunk(b"fcTL", struct.pack(">I", 2 * number - 1) + control))
        later.append(png_chunk(b"fdAT", struct.pack(">I", 2 * number) + pixels))
    at = whole.index(b"IDAT") - 4
    return whole[:at] + b"".join(chunks) + whole[at:-12] + b"".join(later) + whole[-12:]


def directories() -> list[bytes]:
    """A TIFF with a chain of ten thousand directories, one that bites its tail, and one that nests."""
    return [_chain(10_000), _chain(10_000, back=True), _nested(2_000)]


def _chain(count: int, *, back: bool = False) -> bytes:
    """Directory after directory behind the picture's own; the last points `back` to the first."""
    whole = bytearray(tiff(_RGB, _PIXELS))
    first = struct.unpack_from("<I", whole, 4)[0]
    link = first + 2 + 12 * struct.unpack_from("<H", whole, first)[0]
    for number in range(count):
        struct.pack_into("<I", whole, link, len(whole))
        link = len(whole) + 14
        whole += struct.pack("<HHHII", 1, 254, 4, 1, number) + bytes(4)
    if back:
        struct.pack_into("<I", whole, link, first)
    return bytes(whole)


def _nested(depth: int) -> bytes:
    """Each directory has one below it (tag 330)."""
    whole = bytearray(tiff(_RGB | {330: (4, (0,))}, _PIXELS))
    field = whole.index(struct.pack("<HHI", 330, 4, 1)) + 8
    for _ in range(depth):
        struct.pack_into("<I", whole, field, len(whole))
        field = len(whole) + 10
        whole += struct.pack("<HHHII", 1, 330, 4, 1, 0) + bytes(4)
    return bytes(whole)


def many_entries() -> list[bytes]:
    """A TIFF directory of 60,000 entries."""
    return [tiff(_RGB | dict.fromkeys(range(1000, 61000), (3, (1,))), _PIXELS)]


def segments() -> list[bytes]:
    """A JPEG with five thousand comments before its picture."""
    whole = written("jpeg")
    return [whole[:2] + (b"\xff\xfe\0\x42" + b"x" * 64) * 5_000 + whole[2:]]


def scans() -> list[bytes]:
    """A progressive JPEG of many pixels that repeats one scan ten thousand times."""
    whole = encode(Image.fromarray(np.zeros((6_000, 6_000), np.uint8)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    tables = whole.rindex(b"\xff\xc4")
    scan = whole[min(last, tables) : -2]
    return [whole[:-2] + scan * 10_000 + whole[-2:]]
