"""What is made of an original's pixels: thumbnails, placeholder, facts, and a rendition where it is needed.

Called by `enriching` in a worker thread: everything here blocks. It must never hold more than one decoded
picture, and never touch the store.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageOps

from dam.keys import THUMBNAIL_SIZES
from dam.pictures import decoding
from dam.pictures.thumbnails import make_thumbnails, placeholder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

RENDITION_SIDE: Final = 1024
"""Pixels of its longest side: the models look at 384 or fewer, and a scaled decode is small and fast."""
_RENDITION_QUALITY: Final = 95


@dataclass(frozen=True, slots=True)
class Derived:
    """`width` and `height` are the original's, upright; `rendition` is a JPEG, where one was asked for."""

    width: int
    height: int
    captured_at: datetime | None
    placeholder: str
    thumbnails: Mapping[int, bytes]
    rendition: bytes | None


def derive(
    original: bytes | Path, *, max_pixels: int, with_thumbnails: bool, with_rendition: bool
) -> Derived:
    """Decode once and make everything of it. Raises PictureError."""
    side = RENDITION_SIDE if with_rendition else max(THUMBNAIL_SIZES)
    picture = decoding.read(original, max_pixels=max_pixels, max_side=side)
    return Derived(
        width=picture.width,
        height=picture.height,
        captured_at=picture.captured_at,
        rendition=_render(picture.image) if with_rendition else None,
        thumbnails=make_thumbnails(picture.image, THUMBNAIL_SIZES) if with_thumbnails else {},
        placeholder=placeholder(picture.image),
    )


def _render(image: Image.Image) -> bytes:
    """The picture for the models where the original is too heavy to send."""
    side = RENDITION_SIDE
    # Not `thumbnail`, which works in place: a copy of the whole picture would be needed for it.
    small = (
        ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS) if max(image.size) > side else image
    )
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=_RENDITION_QUALITY, subsampling=0)
    return buffer.getvalue()
