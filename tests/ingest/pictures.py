"""Small real pictures, each with a content of its own."""

from __future__ import annotations

import io

from PIL import Image


def picture(shade: int, image_format: str = "PNG") -> bytes:
    """A 32 x 24 picture; another `shade` (any number) gives another content."""
    buffer = io.BytesIO()
    colour = (shade % 256, shade // 256 % 256, shade // 65536 % 256)
    Image.new("RGB", (32, 24), colour).save(buffer, image_format)
    return buffer.getvalue()
