"""Decoding of pictures to RGB as a viewer would show them, and refusal of what cannot be decoded.

Called by the Bento (pixels for the models) and the orchestrator (pixels for thumbnails), off their event
loops. It refuses from the header what would be too large, so that a decompression bomb is never unpacked,
and must never return a picture that is only partly there.
"""

from __future__ import annotations

import io
import math
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import GifImagePlugin, Image, TiffImagePlugin
from pillow_heif import register_heif_opener

from dam.errors import PictureError
from dam.media import HEAD_BYTES, JPEG, MEDIA_TYPES, WEBP, sniff_type
from dam.pictures import containers, faults
from dam.pictures.colours import shrink_to_rgb, to_rgb
from dam.pictures.exif import captured_at, orientation

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from PIL import ImageFile

    from dam.media import MediaType

READABLE: Final = ", ".join(media_type.name for media_type in MEDIA_TYPES)
MAX_PIXELS: Final = 100_000_000
"""Default limit of width times height; an RGB picture of this size takes 300 MB."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF")
_DNG_VERSION: Final = 0xC612
_SUBFILE_TYPE: Final = 254  # its lowest bit: a smaller version of another picture in the file
_SUB_DIRECTORIES: Final = 330
_TRANSPOSITIONS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Image.init()  # `formats` wants every plugin to be there
register_heif_opener()  # Pillow itself reads AVIF but not HEIC
# The limit is ours and per call (`max_pixels`); Pillow's own is one number for the whole process.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture; `width` and `height` are the original's, as displayed, in pixels.

    `image` is RGB. It is smaller than the original where `max_side` allowed that.
    """

    image: Image.Image
    width: int
    height: int
    mime_type: str
    captured_at: datetime | None


def decode(source: bytes | Path, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture in RGB, full size: upright, composited on white, first frame. Raises PictureError."""
    return read(source, max_pixels=max_pixels).image


def read(source: bytes | Path, *, max_pixels: int = MAX_PIXELS, max_side: int | None = None) -> Picture:
    """Decode `source` and say what its header says.

    With `max_side` the picture may come smaller, but never with a longer side under `max_side` pixels unless
    the original's is: JPEG and HEIC then decode in a fraction of time and memory. Meant for thumbnails; the
    models want every pixel. Raises PictureError.
    """
    stream: AbstractContextManager[BinaryIO]
    stream = source.open("rb") if isinstance(source, Path) else nullcontext(io.BytesIO(source))
    with stream as file:
        media_type = _recognise(file, max_pixels)
        opened: ImageFile.ImageFile | None = None
        try:
            opened = Image.open(file, formats=_FORMATS)
            _refuse_from_header(opened, max_pixels)
            if media_type == JPEG:
                _refuse_scans(file)
            header_size = opened.size
            # A HEIC may hold a preview that is whole where the picture is not: then no draft.
            if max_side is not None and (opened.format != "HEIF" or not containers.boxes_end_late(file)):
                opened.draft(None, _fit(opened.size, max_side))
            picture = _unpack(opened, header_size, media_type.mime_type, max_side)
        except (PictureError, MemoryError):
            raise
        # Damaged files make decoders raise nearly anything: OSError, SyntaxError, struct.error, KeyError, …
        except Exception as error:
            raise faults.explain(error, opened, file, media_type) from error
        if code := containers.unseen_fault(file, media_type):
            raise faults.fault(code, media_type, "a checksum is wrong")
    return picture


def _fit(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """The smallest size that is wanted: a square would ask for a shorter side as long as the longer one."""
    scale = min(1.0, max_side / max(size))
    return math.ceil(size[0] * scale), math.ceil(size[1] * scale)


def _recognise(file: BinaryIO, max_pixels: int) -> MediaType:
    """The kind of a supported file, or PictureError."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    # First what we do not read: a camera's raw file begins like the TIFF that it is in form.
    if kind := containers.unsupported_kind(head):
        raise PictureError("unsupported_format", _unsupported(kind))
    media_type = sniff_type(head)
    if media_type is None:
        raise PictureError("not_an_image", "Not an image: its first bytes are those of no known format.")
    if media_type == WEBP and (size := containers.webp_size(head)):
        _refuse_pixels(*size, max_pixels)
    return media_type


def _unsupported(kind: str) -> str:
    return f"This is {kind}, which is not supported. Convert it to one of: {READABLE}."


def _refuse_from_header(image: Image.Image, max_pixels: int) -> None:
    _refuse_pixels(*image.size, max_pixels)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if _DNG_VERSION in image.tag_v2:
            raise PictureError("unsupported_format", _unsupported("a DNG raw file"))
        # Nikon's and Sony's raw files begin with a preview, and have the picture in a directory below it.
        if image.tag_v2.get(_SUBFILE_TYPE, 0) & 1 and _SUB_DIRECTORIES in image.tag_v2:
            raise PictureError("unsupported_format", _unsupported("a camera's raw file"))
        # A tile is unpacked whole: one much larger than its picture is a bomb of its own.
        tile = image.tag_v2.get(322, 0), image.tag_v2.get(323, 0)
        _refuse_pixels(*tile, max_pixels)


def _refuse_pixels(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise PictureError(
            "too_many_pixels",
            f"The picture has {width} x {height} pixels; at most {max_pixels:,} in all can be decoded. "
            "Make it smaller and try again.",
        )


def _refuse_scans(file: BinaryIO) -> None:
    if containers.has_too_many_scans(file):
        raise faults.fault("broken_image", JPEG, f"it has more than {containers.MAX_SCANS} scans")


def _unpack(
    opened: Image.Image, header_size: tuple[int, int], mime_type: str, max_side: int | None
) -> Picture:
    covered = _covered_by_frame(opened)
    opened.load()
    taken = captured_at(opened)
    turn = orientation(opened)
    # Twice the side at least, so that the last step down is still a good one.
    factor = 1 if max_side is None or covered else max(opened.size) // (2 * max_side)
    image = shrink_to_rgb(opened, factor) if factor > 1 else to_rgb(opened)
    drafted = image.size != header_size
    if covered:
        image = _crop_on_white(image, covered)
    if turn in _TRANSPOSITIONS:
        image = image.transpose(_TRANSPOSITIONS[turn])
    # The pixels are upright sRGB now; what is left in `info` (profile, EXIF) would say otherwise.
    image.info = {}
    width, height = header_size if drafted else image.size
    if drafted and turn >= 5:  # noqa: PLR2004 - EXIF: 5 to 8 swap the sides
        width, height = height, width
    return Picture(image, width, height, mime_type, taken)


def _covered_by_frame(opened: Image.Image) -> tuple[int, int, int, int] | None:
    """The part of a GIF that its first frame covers, where that is not all: Pillow paints the rest black."""
    if isinstance(opened, GifImagePlugin.GifImageFile) and opened.tile:
        box = opened.tile[0].extents
        return box if box != (0, 0, *opened.size) else None
    return None


def _crop_on_white(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(image.crop(box), box)
    return canvas
