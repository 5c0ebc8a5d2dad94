"""Derived pictures: WebP thumbnails and the placeholder shown until they have loaded.

Called by the orchestrator, off its event loop, with a picture from `decoding`; it never enlarges one.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Final

from PIL import Image
from thumbhash import rgba_to_thumb_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUALITY: Final = 80
_EFFORT: Final = 2  # libwebp's "method": 4 is 4 to 7 % smaller and takes twice as long
_PLACEHOLDER_SIDE: Final = 32  # the hash keeps seven waves a side; more pixels change nothing but the time


def make_thumbnails(image: Image.Image, sizes: Iterable[int]) -> dict[int, bytes]:
    """A WebP for each size: its longest side is at most that many pixels. `image` is RGB and unchanged."""
    thumbnails: dict[int, bytes] = {}
    current = image
    for size in sorted(set(sizes), reverse=True):
        current = _fit(current, size)
        buffer = io.BytesIO()
        current.save(buffer, "WEBP", quality=_QUALITY, method=_EFFORT)
        thumbnails[size] = buffer.getvalue()
    return thumbnails


def placeholder(image: Image.Image) -> str:
    """Thumbhash (evanw.github.io/thumbhash) of the picture, in base64."""
    small = _fit(image, _PLACEHOLDER_SIDE).convert("RGBA")
    return base64.b64encode(bytes(rgba_to_thumb_hash(*small.size, list(small.tobytes())))).decode("ascii")


def _fit(image: Image.Image, size: int) -> Image.Image:
    """The picture with its longest side at most `size`, its shortest at least one pixel."""
    longest = max(image.size)
    if longest <= size:
        return image
    width, height = (max(1, round(side * size / longest)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
