"""The two facts of a picture's EXIF that the pipeline uses: which way is up, and when it was taken.

Called by `decoding`. EXIF is written by every kind of tool: whatever cannot be read counts as absent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from PIL import ExifTags

if TYPE_CHECKING:
    from PIL import Image

_UPRIGHT: Final = 1


def _tags(image: Image.Image) -> tuple[dict[int, object], dict[int, object]]:
    """The main directory and the one of the exposure; empty where the block is damaged."""
    try:
        exif = image.getexif()
        return dict(exif), dict(exif.get_ifd(ExifTags.IFD.Exif))
    except Exception:  # noqa: BLE001 - a damaged block raises nearly anything, and the picture is still fine
        return {}, {}


def orientation(image: Image.Image) -> int:
    """1 (upright) to 8, as EXIF counts them."""
    value = _tags(image)[0].get(ExifTags.Base.Orientation, _UPRIGHT)
    return value if isinstance(value, int) and value in range(1, 9) else _UPRIGHT


def captured_at(image: Image.Image) -> datetime | None:
    """When the picture was taken, in UTC; a time without an offset is taken as UTC."""
    main, exposure = _tags(image)
    candidates = (
        (exposure.get(ExifTags.Base.DateTimeOriginal), exposure.get(ExifTags.Base.OffsetTimeOriginal)),
        (exposure.get(ExifTags.Base.DateTimeDigitized), exposure.get(ExifTags.Base.OffsetTimeDigitized)),
        (main.get(ExifTags.Base.DateTime), exposure.get(ExifTags.Base.OffsetTime)),
    )
    for time, offset in candidates:
        if isinstance(time, str) and (moment := _parse(time, offset)):
            return moment
    return None


def _parse(time: str, offset: object) -> datetime | None:
    text = time.strip("\0 ")
    zone = offset.strip("\0 ") if isinstance(offset, str) else ""
    for value, layout in ((text + zone, "%Y:%m:%d %H:%M:%S%z"), (text, "%Y:%m:%d %H:%M:%S")):
        try:
            moment = datetime.strptime(value, layout)  # noqa: DTZ007 - the zone is added below where it is missing
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None
