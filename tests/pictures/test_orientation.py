"""Which way is up, and when it was taken: what EXIF says, in every format that carries it."""

from __future__ import annotations

import io
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
from PIL import ExifTags, Image

from dam.pictures.decoding import Picture, read
from tests.pictures.files import difference, encode, scene

UNDONE_BY: Final = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera held that way stores an upright scene (the EXIF standard's eight values)."""


def stored(image: Image.Image, orientation: int) -> Image.Image:
    """The pixels as they lie in the file."""
    method = UNDONE_BY[orientation]
    return image.transpose(method) if method is not None else image


def exif(**tags: Any) -> bytes:
    """An EXIF block; names as in Pillow, those of the exposure in its own directory."""
    block = Image.Exif()
    block[ExifTags.Base.Software] = "tests"
    exposure = {
        "DateTimeOriginal",
        "OffsetTimeOriginal",
        "DateTimeDigitized",
        "OffsetTimeDigitized",
        "OffsetTime",
    }
    for name, value in tags.items():
        directory = block.get_ifd(ExifTags.IFD.Exif) if name in exposure else block
        directory[ExifTags.Base[name]] = value
    return block.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_every_orientation_is_shown_upright(image_format: str, orientation: int) -> None:
    """The scene comes out the same, whichever way its pixels lie."""
    options = {"TIFF": {"compression": "tiff_lzw"}, "PNG": {}}.get(image_format, {"quality": 95})
    data = encode(stored(scene(), orientation), image_format, exif=exif(Orientation=orientation), **options)
    picture = read(data)
    assert (picture.width, picture.height) == scene().size
    assert difference(picture.image, scene()) < 6
    assert picture.image.info == {}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_draft_is_upright_too_and_tells_the_full_size(orientation: int) -> None:
    """Decoded at an eighth of its size, a turned JPEG says what it would be in full."""
    large = scene(640, 400)
    data = encode(stored(large, orientation), "JPEG", quality=95, exif=exif(Orientation=orientation))
    picture = read(data, max_side=50)
    assert (picture.width, picture.height) == (640, 400)
    assert picture.image.size == (80, 50)
    assert difference(picture.image, large.resize((80, 50), Image.Resampling.BOX)) < 4


@pytest.mark.parametrize("kind", [2, 3, 5, 12])
@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_senseless_orientation_is_none(kind: int, value: int) -> None:
    """Tools write any number as any type, text and fractions too: the picture is shown as it lies."""
    entry = struct.pack("<HHII", 0x0112, kind, 1, value)
    block = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + bytes(20)
    assert difference(read(encode(scene(), "PNG", exif=block)).image, scene()) == 0


def test_a_damaged_exif_block_does_not_hide_the_picture() -> None:
    """Only the facts in it are lost."""
    picture = read(encode(scene(), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff and more"))
    assert picture.captured_at is None
    assert difference(picture.image, scene()) == 0


def taken(**tags: Any) -> datetime | None:
    return read(encode(scene(), "JPEG", exif=exif(**tags))).captured_at


def test_the_moment_of_the_exposure_is_told_in_utc() -> None:
    """With its offset where the camera wrote one, as UTC where it did not."""
    assert taken(DateTimeOriginal="2024:05:01 12:30:00") == datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    moment = taken(DateTimeOriginal="2024:05:01 12:30:00", OffsetTimeOriginal="+05:30")
    assert moment == datetime(2024, 5, 1, 12, 30, tzinfo=timezone(timedelta(hours=5.5)))
    assert moment is not None
    assert moment.tzinfo == UTC


def test_the_best_of_three_moments_is_taken() -> None:
    """Exposure before digitising before the file's last change."""
    earlier, later = "2001:01:01 01:01:01", "2022:02:02 02:02:02"
    assert taken(DateTimeOriginal=earlier, DateTimeDigitized=later) == datetime(
        2001, 1, 1, 1, 1, 1, tzinfo=UTC
    )
    assert taken(DateTimeDigitized=earlier, DateTime=later) == datetime(2001, 1, 1, 1, 1, 1, tzinfo=UTC)
    assert taken(DateTime=later) == datetime(2022, 2, 2, 2, 2, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2024-05-01 12:30", "yesterday", "", "\0"]
)
def test_an_unset_clock_tells_nothing(text: str) -> None:
    """What cameras write for "unknown" is no date, and no error."""
    assert taken(DateTimeOriginal=text) is None


def test_a_senseless_offset_is_left_out() -> None:
    """The time stands as if it had none; a date at the edge of the calendar raises nothing."""
    assert taken(DateTimeOriginal="2024:05:01 12:30:00", OffsetTimeOriginal="??") == datetime(
        2024, 5, 1, 12, 30, tzinfo=UTC
    )
    edge = taken(DateTimeOriginal="0001:01:01 00:00:00", OffsetTimeOriginal="+14:00")
    assert edge == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_every_format_with_exif_tells_its_moment(image_format: str) -> None:
    """Phones write HEIC, scanners TIFF; a draft tells it too."""
    data = encode(scene(), image_format, exif=exif(DateTimeOriginal="2024:05:01 12:30:00"))
    pictures: list[Picture] = [read(data), read(data, max_side=16)]
    assert {picture.captured_at for picture in pictures} == {datetime(2024, 5, 1, 12, 30, tzinfo=UTC)}


def test_a_file_on_disk_reads_as_its_bytes(tmp_path: Any) -> None:
    """Path or bytes: the same picture and the same facts."""
    data = encode(scene(), "JPEG", exif=exif(Orientation=6, DateTime="2024:05:01 12:30:00"))
    path = tmp_path / "wrong name.gif"
    path.write_bytes(data)
    one, other = read(path), read(data)
    assert (one.mime_type, one.width, one.height) == ("image/jpeg", 64, 96)
    assert one.captured_at == other.captured_at == datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    assert one.image.tobytes() == other.image.tobytes()
    assert Image.open(io.BytesIO(data)).size == (96, 64)
