"""Picture files of every kind, written by real encoders from pictures that code draws.

Used by the tests of `dam.pictures`. No file is stored.
"""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from pillow_heif import register_heif_opener

if TYPE_CHECKING:
    from collections.abc import Mapping

register_heif_opener()

SIZE: Final = (96, 64)

WAYS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "jpeg": ("JPEG", {"quality": 90}),
    "jpeg progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "jpeg restarts": ("JPEG", {"quality": 90, "restart_marker_blocks": 3}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 90}),
    "webp lossless": ("WEBP", {"lossless": True}),
    "gif": ("GIF", {}),
    "gif interlaced": ("GIF", {"interlace": 1}),
    "tiff": ("TIFF", {}),
    "tiff lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff packbits": ("TIFF", {"compression": "packbits"}),
    "tiff jpeg": ("TIFF", {"compression": "jpeg", "quality": 90}),
    "tiff strips": ("TIFF", {"compression": "tiff_lzw", "strip_size": 2000}),
    "bigtiff": ("TIFF", {"big_tiff": True}),
    "bmp": ("BMP", {}),
    "heic": ("HEIF", {"quality": 90}),
    "avif": ("AVIF", {"quality": 90}),
}
"""Name: Pillow's name of the format, and options of its encoder."""


def encode(image: Image.Image, image_format: str, **options: Any) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@cache
def scene(width: int = SIZE[0], height: int = SIZE[1]) -> Image.Image:
    """Smooth colours, shapes and a little grain: no two rows are alike, and nothing is grey."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    red, green, blue = 255 * x / width, 255 * y / height, 255 * (1 - x / width)
    image = Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))
    canvas = ImageDraw.Draw(image)
    canvas.ellipse((width * 0.1, height * 0.2, width * 0.5, height * 0.8), fill=(250, 220, 40))
    canvas.rectangle((width * 0.6, height * 0.5, width * 0.9, height * 0.95), fill=(20, 90, 60))
    grain = np.random.default_rng(7).normal(0, 8, (height, width, 3))
    noisy = np.asarray(image.filter(ImageFilter.GaussianBlur(1)), dtype=np.float32) + grain
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


@cache
def written(way: str) -> bytes:
    """`scene()` as a file of one of `WAYS`."""
    image_format, options = WAYS[way]
    image = scene().quantize(64) if image_format == "GIF" else scene()
    return encode(image, image_format, **options)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG of any form; `rows` are packed samples, without the filter bytes."""
    stride = len(rows) // height
    lines = b"".join(b"\0" + rows[at : at + stride] for at in range(0, len(rows), stride))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            *more,
            png_chunk(b"IDAT", zlib.compress(lines)),
            png_chunk(b"IEND", b""),
        )
    )


def tiff(entries: Mapping[int, tuple[int, tuple[int, ...]]], data: bytes) -> bytes:
    """A little-endian TIFF: tag → (type 3 or 4, values), its one strip `data` at offset 8."""
    directory = len(data) + 8 + len(data) % 2
    fields = {**entries, 273: (4, (8,)), 279: (4, (len(data),))}
    extra_at = directory + 2 + 12 * len(fields) + 4
    body, extra = struct.pack("<H", len(fields)), b""
    for tag, (kind, values) in sorted(fields.items()):
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            extra, packed = extra + packed, struct.pack("<I", extra_at + len(extra))
        body += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", directory) + data + bytes(len(data) % 2) + body + bytes(4) + extra


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two RGB pictures, in levels of 0 to 255; sizes must agree."""
    assert one.size == other.size
    assert (one.mode, other.mode) == ("RGB", "RGB")
    return float(np.abs(np.asarray(one, dtype=np.float32) - np.asarray(other, dtype=np.float32)).mean())
