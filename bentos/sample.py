"""The sample picture and text: what the models are warmed up with, and what the API's examples show.

Called by `engine` and `app`. It is drawn, so that it needs no file and is the same everywhere.
"""

from __future__ import annotations

import io
from typing import Final

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
