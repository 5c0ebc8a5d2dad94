"""The sample pictures and text: what the models are warmed up with, and what the API's examples show.

Called by `engine`, `app` and `openapi`. They are drawn, so that they need no file and are always the same.
"""

from __future__ import annotations

import io
import struct
from math import isqrt
from typing import Final
from zlib import crc32

from PIL import Image, ImageDraw

SAMPLE_TEXT: Final = "a red circle on blue"
_SIDE: Final = 256


def sample_png() -> bytes:
    """A red disc on blue, as PNG; the service answers it at `/sample.png`."""
    image = Image.new("RGB", (_SIDE, _SIDE), (40, 90, 200))
    ImageDraw.Draw(image).ellipse((56, 56, 200, 200), fill=(220, 40, 40))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def oversized_png(max_pixels: int) -> bytes:
    """The beginning of a square PNG with more pixels than that: a decoder needs no more to refuse it."""
    side = isqrt(max_pixels) + 1
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    first = struct.pack(">I", 13) + header + struct.pack(">I", crc32(header))
    return b"\x89PNG\r\n\x1a\n" + first + struct.pack(">I4s", 9, b"IDAT")
