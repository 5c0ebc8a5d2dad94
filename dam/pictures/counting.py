"""How many pixels a file announces, so that large decodes can be kept from coming together.

Called by the orchestrator and the Bento before they decode. It must never refuse: `decoding` does, in words.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from dam import media
from dam.pictures import containers


def count_pixels(original: bytes | Path) -> int:
    """Width times height by the header, 0 where there is none to read (decoding will say why)."""
    with original.open("rb") if isinstance(original, Path) else io.BytesIO(original) as file:
        head = file.read(media.HEAD_BYTES)
        if media.sniff_type(head) == media.WEBP:  # its decoder would take the canvas' memory on opening
            width, height = containers.webp_size(head) or (0, 0)
            return width * height
        try:
            with Image.open(file) as opened:
                return opened.width * opened.height
        except Exception:  # noqa: BLE001 - a damaged header raises nearly anything
            return 0
