"""What is wrong with a file of a kind that we read: cut short, or damaged.

Called by `decoding` once a file has failed. It must never decode anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from dam.errors import PictureError
from dam.pictures import containers

if TYPE_CHECKING:
    from dam.media import MediaType

_STRIP_TAGS: Final = ((273, 279), (324, 325))


def explain(error: Exception, opened: Image.Image | None, file: BinaryIO, kind: MediaType) -> PictureError:
    """What a decoder's `error` means; `opened` is the picture, where its header could be read."""
    file.seek(0)
    data = file.read()
    if (
        "truncated" in str(error).lower()
        or containers.is_cut_short(data, kind)
        or (isinstance(opened, TiffImagePlugin.TiffImageFile) and _strips_end_late(opened, len(data)))
    ):
        return fault("truncated", kind)
    if isinstance(error, UnidentifiedImageError):  # its text names an object in memory
        return fault("broken_image", kind, "its header makes no sense, or is of a rare kind")
    return fault("broken_image", kind, str(error) or type(error).__name__)


def fault(code: str, kind: MediaType, reason: str = "") -> PictureError:
    """The refusal for a code: `truncated`, or `broken_image` with its reason."""
    if code == "truncated":
        return PictureError(code, f"The {kind.name} file is cut short; upload the whole file.")
    return PictureError(
        code, f"The {kind.name} file is damaged and cannot be decoded ({reason}); upload a sound copy."
    )


def _strips_end_late(image: TiffImagePlugin.TiffImageFile, length: int) -> bool:
    """Whether any strip or tile lies beyond the end of the file."""
    for offsets, counts in _STRIP_TAGS:
        pairs = zip(image.tag_v2.get(offsets, ()), image.tag_v2.get(counts, ()), strict=False)
        if any(offset + count > length for offset, count in pairs):
            return True
    return False
