"""A folder as people have them: pictures of every kind, among things that only look like pictures."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from PIL import Image, ImageDraw
from pillow_heif import register_heif_opener

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED: Final = {
    "photo.jpg": ("enriched", ""),
    "turned by its EXIF.jpg": ("enriched", ""),
    "cmyk.jpg": ("enriched", ""),
    "sixteen-bit.png": ("enriched", ""),
    "palette with alpha.png": ("enriched", ""),
    "animation.gif": ("enriched", ""),
    "phone.heic": ("enriched", ""),
    "web.avif": ("enriched", ""),
    "scan.tiff": ("enriched", ""),
    "one pixel.bmp": ("enriched", ""),
    "ünïcödé 图片 [b]x[_b].webp": ("enriched", ""),
    "a png in truth.jpg": ("enriched", ""),
    "empty.jpg": ("refused", "empty"),
    "letter.jpg": ("refused", "not a picture"),
    "drawing.svg": ("refused", "not a picture"),
    "cut short.jpg": ("failed", "truncated"),
    "bomb.png": ("failed", "too_many_pixels"),
    "damaged.png": ("failed", ""),
}
"""File name: how it ends, and a word of the reason that must be shown."""


def write_odd_files(folder: Path) -> None:
    """Write every file of `EXPECTED` into a new folder."""
    register_heif_opener()
    folder.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = _paint(1)
    cut = _save(_paint(2), "JPEG", quality=95)
    sound = _save(_paint(3), "PNG")
    contents = {
        "photo.jpg": _save(photo, "JPEG", quality=90),
        "turned by its EXIF.jpg": _save(_paint(4), "JPEG", exif=exif),
        "cmyk.jpg": _save(_paint(5).convert("CMYK"), "JPEG"),
        "sixteen-bit.png": _save(Image.linear_gradient("L").convert("I;16"), "PNG"),
        "palette with alpha.png": _save(_paint(6).quantize(16), "PNG", transparency=3),
        "animation.gif": _save(_paint(7), "GIF", save_all=True, append_images=[_paint(8)]),
        "phone.heic": _save(_paint(9), "HEIF"),
        "web.avif": _save(_paint(10), "AVIF"),
        "scan.tiff": _save(_paint(11), "TIFF"),
        "one pixel.bmp": _save(Image.new("RGB", (1, 1), "red"), "BMP"),
        "ünïcödé 图片 [b]x[_b].webp": _save(_paint(12), "WEBP"),
        "a png in truth.jpg": _save(_paint(13), "PNG"),
        "empty.jpg": b"",
        "letter.jpg": b"Dear reader, this is no picture at all.\n" * 20,
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "cut short.jpg": cut[: len(cut) // 2],
        "bomb.png": _bomb(60_000, 60_000),
        "damaged.png": sound[:200] + bytes(100) + sound[300:],
    }
    for name in EXPECTED:
        (folder / name).write_bytes(contents[name])


def _paint(seed: int) -> Image.Image:
    """Noise with shapes on it, 320 by 240: no two seeds give the same content."""
    source = random.Random(seed)  # noqa: S311 - a reproducible picture
    image = Image.effect_noise((320, 240), 60).convert("RGB")
    canvas = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, size = source.randrange(280), source.randrange(200), source.randrange(10, 80)
        colour = tuple(source.randrange(256) for _ in range(3))
        canvas.ellipse((x, y, x + size, y + size), fill=colour)
    return image


def _save(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes whose header announces gigabytes of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(bytes(100_000), 9)),
            chunk(b"IEND", b""),
        )
    )
