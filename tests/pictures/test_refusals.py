"""What is refused, and how: not an image, unsupported, cut short, too large, damaged."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from typing import Final

import pytest
from PIL import Image, ImageFile

from dam.errors import PictureError
from dam.pictures.decoding import MAX_PIXELS, decode, read
from tests.pictures.files import SIZE, WAYS, difference, encode, png, png_chunk, scene, tiff, written


def refusal(data: bytes, *, max_pixels: int = MAX_PIXELS, max_side: int | None = None) -> PictureError:
    with pytest.raises(PictureError) as caught:
        read(data, max_pixels=max_pixels, max_side=max_side)
    return caught.value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"Dear reader, this is no picture at all.\n" * 50,
        b"<html><body><svg></svg></body></html>",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        b"PK\x03\x04" + bytes(100),
        b"\x1a\x45\xdf\xa3" + bytes(100),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
        b"BMW drives best" + bytes(100),
        bytes(5000),
    ],
)
def test_what_is_no_picture_is_told(data: bytes) -> None:
    """Nothing, text, a page, a document, an archive, films, a name that begins like a bitmap, zeros."""
    assert refusal(data).code == "not_an_image"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn --><svg width="1"/>', "SVG"),
        (b"8BPS\0\x01" + bytes(100), "Photoshop"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(100), "Canon raw"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(100), "Fujifilm raw"),
        (b"IIU\0\x18\0\0\0" + bytes(100), "Panasonic raw"),
        (b"IIRO\x08\0\0\0" + bytes(100), "Olympus raw"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(100), "Canon raw"),
        (encode(scene(), "ICO"), "icon"),
        (encode(scene(), "JPEG2000"), "JPEG 2000"),
        (encode(scene(), "JPEG2000", no_jp2=True), "JPEG 2000"),
        (b"\xff\x0a" + bytes(100), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100), "JPEG XL"),
        (encode(scene(), "DDS"), "DirectDraw"),
        (encode(scene(), "EPS"), "EPS"),
        (encode(scene(), "QOI"), "QOI"),
        (b"\x76\x2f\x31\x01" + bytes(100), "OpenEXR"),
    ],
)
def test_a_picture_that_is_not_read_is_called_by_its_name(data: bytes, kind: str) -> None:
    """The person learns what it is, and what it could be converted to."""
    error = refusal(data)
    assert error.code == "unsupported_format"
    assert kind in str(error)
    assert "Convert it to one of: JPEG, PNG" in str(error)


def test_a_raw_file_is_one_although_a_tiff_in_form() -> None:
    """Its first directory is a preview: taking that for the picture would be wrong. Pyramids are none."""
    pixels = bytes(48)
    entries = {256: (3, (4,)), 257: (3, (4,)), 258: (3, (8, 8, 8)), 262: (3, (2,)), 277: (3, (3,))}
    assert decode(tiff(entries, pixels)).size == (4, 4)
    error = refusal(tiff(entries | {0xC612: (4, (0x01040000,))}, pixels))
    assert (error.code, "DNG" in str(error)) == ("unsupported_format", True)
    error = refusal(tiff(entries | {254: (4, (1,)), 330: (4, (8,))}, pixels))
    assert (error.code, "raw" in str(error)) == ("unsupported_format", True)
    for harmless in ({254: (4, (0,)), 330: (4, (8,))}, {254: (4, (1,))}, {330: (4, (8,))}):
        assert decode(tiff(entries | harmless, pixels)).size == (4, 4)


def cuts(length: int) -> set[int]:
    """Where to cut: the first and the last bytes one by one, and some fifty places between."""
    return {*range(1, 40), *range(40, length, max(1, length // 50)), *range(length - 40, length)}


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_cut_short_never_passes_as_whole(way: str) -> None:
    """Wherever it ends, it is `truncated`, but for ends that lack no pixel and heads too short to tell."""
    data = written(way)
    whole = decode(data)
    for cut in sorted(cuts(len(data))):
        try:
            shown = decode(data[:cut])
        except PictureError as error:
            expected = {"truncated"} if cut >= 16 else {"truncated", "not_an_image"}
            assert error.code in expected, cut  # noqa: PT017 - not every cut raises
            assert len(str(error)) < 300, cut  # noqa: PT017 - as above
        else:
            assert difference(shown, whole) == 0, cut
            assert cut >= len(data) - 12, cut


@pytest.mark.parametrize("way", ["jpeg", "jpeg progressive", "heic"])
def test_a_draft_is_no_way_round_that(way: str) -> None:
    """Decoded small, or from the preview that a HEIC holds, a file that is cut short is refused as well."""
    image_format, options = WAYS[way]
    more = {"thumbnails": [160]} if way == "heic" else {}
    data = encode(scene(640, 400), image_format, **options, **more)
    assert max(read(data, max_side=80).image.size) < 640
    whole = decode(data)
    for cut in range(100, len(data), len(data) // 30):
        try:
            shown = read(data[:cut], max_side=80).image
        except PictureError as error:
            assert error.code == "truncated"  # noqa: PT017 - not every cut raises
        else:  # what is cut off is the preview
            assert way == "heic"
            assert difference(shown, whole.reduce(whole.width // shown.width)) == 0
    assert refusal(data[: len(data) // 2], max_side=80).code == "truncated"


def test_a_download_that_left_zeros_is_refused() -> None:
    """Files of their final size, with nothing in their last tenth: a checksum tells, or the missing end."""
    for way in ("jpeg", "jpeg progressive", "png", "gif", "tiff lzw", "tiff deflate"):
        data = written(way)
        whole = len(data) - len(data) // 10
        assert refusal(data[:whole] + bytes(len(data) - whole)).code in {"truncated", "broken_image"}, way


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8, 0.99])
def test_one_wrong_byte_of_a_png_is_noticed(at: float) -> None:
    """PNG has checksums of its pixels: a flipped bit in them is never shown."""
    data = bytearray(written("png"))
    data[int(at * (len(data) - 30))] ^= 0x10
    assert refusal(bytes(data)).code == "broken_image"


def test_what_follows_a_whole_picture_does_no_harm() -> None:
    """Some tools append to a file: an archive, a signature, padding."""
    for way in ("jpeg", "png", "gif", "webp", "bmp", "tiff", "heic", "avif"):
        data = written(way)
        assert difference(decode(data + bytes(3000)), decode(data)) == 0, way


LARGE: Final = (60_000, 60_000)


def vp8x(width: int, height: int) -> bytes:
    """A WebP's first 30 bytes and the frame of a small one."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size + encode(scene(), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def resized(way: str, width: int, height: int) -> bytes:
    """A small file whose header is changed to announce another size."""
    data, (old_width, old_height) = written(way), SIZE
    replaced = {
        "jpeg": (">HH", old_height, old_width, height, width),
        "gif": ("<HH", old_width, old_height, width, height),
        "bmp": ("<II", old_width, old_height, width, height),
        "heic": (">II", old_width, old_height, width, height),
        "avif": (">II", old_width, old_height, width, height),
    }[way]
    layout, *sizes = replaced
    old, new = struct.pack(layout, *sizes[:2]), struct.pack(layout, *sizes[2:])
    assert old in data
    return data.replace(old, new)


def bombs() -> dict[str, bytes]:
    """Small files that announce 256 or 3,600 million pixels, as many as their decoders let pass."""
    width, height = LARGE
    header = {256: (4, (width,)), 257: (4, (height,)), 258: (3, (8, 8, 8)), 262: (3, (2,)), 277: (3, (3,))}
    chunk = png_chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9))
    small = png(1, 1, 8, 2, bytes(3))
    ihdr = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return {
        "png": small[:8] + ihdr + chunk * 3 + png_chunk(b"IEND", b""),
        "tiff": tiff(header, bytes(100)),
        "webp": vp8x(16_000, 16_000),
        "avif": resized("avif", 16_000, 16_000),
        **{way: resized(way, *LARGE) for way in ("jpeg", "gif", "bmp")},
    }


@pytest.mark.parametrize("name", ["png", "tiff", "webp", "jpeg", "gif", "bmp", "avif"])
def test_a_bomb_is_refused_from_its_header(name: str) -> None:
    """No memory is taken for what is announced, and the person is told both numbers."""
    data = bombs()[name]
    tracemalloc.start()
    try:
        error = refusal(data)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert error.code == "too_many_pixels"
    assert "60000 x 60000" in str(error) or "16000 x 16000" in str(error)
    assert "100,000,000" in str(error)


def test_a_heic_that_announces_too_much_is_refused() -> None:
    """Its header is read by libheif, outside of Python's memory."""
    assert refusal(resized("heic", 12_000, 12_000)).code == "too_many_pixels"
    assert refusal(resized("heic", *LARGE)).code == "too_many_pixels"


@pytest.mark.parametrize("tile", [(60_000, 60_000), (4_000_000_000, 16)])
def test_a_tile_much_larger_than_its_picture_is_refused(tile: tuple[int, int]) -> None:
    """A TIFF of 16 by 16 pixels in one tile of gigabytes: the tile is what would be unpacked."""
    entries = {256: (3, (16,)), 257: (3, (16,)), 258: (3, (8,)), 259: (3, (8,)), 262: (3, (1,))}
    entries |= {322: (4, (tile[0],)), 323: (4, (tile[1],)), 324: (4, (8,)), 325: (4, (20,))}
    assert refusal(tiff(entries, zlib.compress(bytes(256)))).code == "too_many_pixels"


@pytest.mark.parametrize("way", WAYS)
def test_the_limit_is_the_callers(way: str) -> None:
    """Exactly the limit passes, one pixel more does not."""
    pixels = SIZE[0] * SIZE[1]
    assert read(written(way), max_pixels=pixels).image.size == SIZE
    assert refusal(written(way), max_pixels=pixels - 1).code == "too_many_pixels"


def test_a_png_whose_text_unpacks_to_gigabytes() -> None:
    """Comments and profiles are compressed too: shown without, or refused, and little memory is taken."""
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    profile = png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(200_000_000), 9))
    for chunk in (text, profile):
        tracemalloc.start()
        try:
            assert decode(png(1, 1, 8, 2, bytes(3), chunk)).size == (1, 1)
        except PictureError as error:
            assert error.code == "broken_image"  # noqa: PT017 - either answer is right
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 20_000_000


def test_a_header_that_makes_no_sense_is_told_in_words() -> None:
    """No object of the program's memory is named in the message."""
    entries = {256: (3, (4,)), 257: (3, (4,)), 258: (3, (13,)), 262: (3, (77,))}
    error = refusal(tiff(entries, bytes(48)))
    assert error.code == "broken_image"
    assert "its header makes no sense, or is of a rare kind" in str(error)
    assert "object at" not in str(error)


def test_a_picture_without_pixels_is_damaged() -> None:
    """Nought by nought in the header."""
    data = encode(Image.new("RGB", (1, 1)), "BMP")
    assert refusal(data[:18] + bytes(8) + data[26:]).code in {"broken_image", "truncated"}


def test_decoding_is_strict_whatever_others_have_set() -> None:
    """Nothing in the process has switched on Pillow's tolerance for cut files."""
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    assert io.BytesIO(written("png")).read(4) == b"\x89PNG"
