"""The sample picture and text: what the models are warmed up with, and what the API's examples show.

Called by `engine`, `app` and `openapi`. The picture is of the drawn world (`dam.drawing`) and the text is its
caption, so that the demo models have something true to say.
"""

from __future__ import annotations

import struct
from math import isqrt
from pathlib import Path
from typing import Final
from zlib import crc32

SAMPLE_TEXT: Final = "a kangaroo above a bucket on plain pink"


def sample_png() -> bytes:
    """The picture; the service answers it at `/sample.png`."""
    return Path(__file__).with_name("sample.png").read_bytes()


def oversized_png(max_pixels: int) -> bytes:
    """The beginning of a square PNG with more pixels than that: a decoder needs no more to refuse it."""
    side = isqrt(max_pixels) + 1
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    first = struct.pack(">I", 13) + header + struct.pack(">I", crc32(header))
    return b"\x89PNG\r\n\x1a\n" + first + struct.pack(">I4s", 9, b"IDAT")
