"""Colours as a viewer would show them: palettes, alpha, CMYK, sixteen bits, profiles, first frames."""

from __future__ import annotations

import io
import struct
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image, ImageCms

from dam.pictures.decoding import decode, read
from tests.pictures.files import SIZE, WAYS, difference, encode, png, png_chunk, scene, tiff, written

WHITE: Final = (255, 255, 255)
GREY_RAMP: Final = np.linspace(0, 65535, 256).astype(np.uint16)
"""256 evenly spaced 16-bit greys, black to white."""


def colour(image: Image.Image, x: int = 0, y: int = 0) -> tuple[int, int, int]:
    assert image.mode == "RGB"
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return red, green, blue


def near(one: tuple[int, ...], other: tuple[int, ...], by: int = 3) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_file_shows_the_scene(way: str) -> None:
    """Every format and compression; the lossy ones nearly."""
    picture = read(written(way))
    assert (picture.image.mode, picture.image.size) == ("RGB", SIZE)
    assert (picture.width, picture.height) == SIZE
    assert difference(picture.image, scene()) < 10


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_every_depth(bits: int) -> None:
    """A palette's colours, not its indices."""
    image = scene().quantize(2**bits)
    for image_format in ("PNG", "GIF", "TIFF", "BMP"):
        assert difference(decode(encode(image, image_format)), image.convert("RGB")) == 0


def test_one_transparent_palette_entry_is_white() -> None:
    """As GIF and PNG have it: the index that is transparent shows the page behind."""
    image = Image.new("P", (4, 4), 1)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((0, 0), 0)
    for image_format in ("PNG", "GIF"):
        shown = decode(encode(image, image_format, transparency=0))
        assert colour(shown) == WHITE
        assert colour(shown, 2, 2) == (40, 50, 60)


def test_a_palette_with_alpha_is_mixed_with_white() -> None:
    """PNG gives every palette entry its own alpha."""
    palette = png_chunk(b"PLTE", bytes([200, 0, 0, 0, 100, 0])) + png_chunk(b"tRNS", bytes([128, 255]))
    shown = decode(png(2, 1, 8, 3, bytes([0, 1]), palette))
    assert near(colour(shown), (227, 127, 127), 1)
    assert colour(shown, 1) == (0, 100, 0)


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("alpha", [0, 51, 255])
def test_alpha_is_mixed_with_white(image_format: str, alpha: int) -> None:
    """Black at no, a fifth and full opacity, in every format that has alpha."""
    lossless: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True, "exact": True},
        "AVIF": {"quality": 100},
        "HEIF": {"quality": -1},
    }
    image = Image.new("RGBA", (32, 32), (0, 0, 0, alpha))
    image.putpixel((0, 0), (0, 0, 0, 254 if alpha else 1))  # no encoder may find it opaque, or a constant
    shown = decode(encode(image, image_format, **lossless.get(image_format, {})))
    assert near(colour(shown, 20, 20), (255 - alpha,) * 3)


def test_grey_with_alpha_and_a_transparent_grey() -> None:
    """Two more forms of PNG: a channel of alpha beside the grey, and one grey that is transparent."""
    assert near(colour(decode(encode(Image.new("LA", (4, 4), (0, 51)), "PNG"))), (204,) * 3, 1)
    key = png_chunk(b"tRNS", struct.pack(">H", 90))
    shown = decode(png(2, 1, 8, 0, bytes([90, 91]), key))
    assert (colour(shown), colour(shown, 1)) == (WHITE, (91, 91, 91))


def test_a_transparent_colour() -> None:
    """PNG's third form: one RGB colour is transparent."""
    key = png_chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))
    shown = decode(png(2, 1, 8, 2, bytes([1, 2, 3, 1, 2, 4]), key))
    assert (colour(shown), colour(shown, 1)) == (WHITE, (1, 2, 4))


def test_what_lies_under_full_transparency_never_shows() -> None:
    """Tools leave anything there."""
    image = Image.merge("RGBA", (*scene().split(), Image.new("L", SIZE, 0)))
    assert np.asarray(decode(encode(image, "PNG"))).min() == 255


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
def test_cmyk(image_format: str) -> None:
    """Ink to light; a JPEG written by Adobe's rules holds the inks inverted, a TIFF does not."""
    inks = {(255, 0, 0, 0): (0, 255, 255), (0, 255, 255, 0): (255, 0, 0), (0, 0, 0, 255): (0, 0, 0)}
    inks |= {(0, 0, 0, 0): WHITE, (0, 0, 0, 128): (127, 127, 127)}
    for ink, light in inks.items():
        data = encode(Image.new("CMYK", (16, 16), ink), image_format)
        assert (b"Adobe" in data) == (image_format == "JPEG")
        assert near(colour(decode(data)), light)


def test_a_cmyk_draft_looks_like_the_whole() -> None:
    """A large CMYK JPEG, decoded small for its thumbnail, keeps its colours."""
    data = encode(scene(640, 400).convert("CMYK"), "JPEG", quality=95)
    small = read(data, max_side=80).image
    assert small.size == (80, 50)
    assert difference(small, decode(data).resize((80, 50), Image.Resampling.BOX)) < 4


def test_sixteen_bit_grey_png() -> None:
    """The whole range becomes the whole range."""
    shown = decode(png(256, 1, 16, 0, GREY_RAMP.astype(">u2").tobytes()))
    assert np.abs(np.asarray(shown)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_sixteen_bit_colour_and_alpha_png() -> None:
    """RGB, RGB with alpha and grey with alpha, sixteen bits each."""
    rgb = struct.pack(">3H", 65535, 32768, 0)
    assert near(colour(decode(png(1, 1, 16, 2, rgb))), (255, 128, 0), 1)
    assert near(colour(decode(png(1, 1, 16, 6, rgb + struct.pack(">H", 0)))), WHITE, 1)
    grey = struct.pack(">2H", 0, 13107)
    assert near(colour(decode(png(1, 1, 16, 4, grey))), (204, 204, 204), 1)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_of_grey(bits: int) -> None:
    """Black, white and the steps between, of PNG and TIFF."""
    steps = 2**bits
    packed = int("".join(f"{step:0{bits}b}" for step in range(steps)).ljust(64, "0"), 2).to_bytes(8, "big")
    rows = packed[: max(1, steps * bits // 8)]
    scan = tiff({256: (3, (steps,)), 257: (3, (1,)), 258: (3, (bits,)), 262: (3, (1,))}, rows)
    expected = np.linspace(0, 255, steps).round()
    for data in (png(steps, 1, bits, 0, rows), scan):
        assert np.abs(np.asarray(decode(data))[0, :, 1] - expected).max() <= 1


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_greys_whose_white_is_nought_or_the_most(bits: int, photometric: int) -> None:
    """Scanners and microscopes write both."""
    samples = GREY_RAMP if bits == 16 else np.arange(256, dtype=np.uint8)
    data = tiff(
        {256: (3, (256,)), 257: (3, (1,)), 258: (3, (bits,)), 262: (3, (photometric,))}, samples.tobytes()
    )
    shown = np.asarray(decode(data))[0, :, 0].astype(int)
    assert np.abs(shown - (np.arange(256) if photometric else np.arange(255, -1, -1))).max() <= 1


def test_twelve_bit_grey_tiff() -> None:
    """4095 is white."""
    packed = bytes.fromhex("0007ffffffff")
    shown = decode(tiff({256: (3, (4,)), 257: (3, (1,)), 258: (3, (12,)), 262: (3, (1,))}, packed))
    assert near(tuple(np.asarray(shown)[0, :, 0].tolist()), (0, 127, 255, 255), 1)


@pytest.mark.parametrize("samples", [3, 4])
def test_sixteen_bit_colour_tiff(samples: int) -> None:
    """RGB, and RGB with alpha that is opaque."""
    pixel = struct.pack("<4H", 65535, 32768, 0, 65535)[: 2 * samples]
    entries = {
        256: (3, (1,)),
        257: (3, (1,)),
        258: (3, (16,) * samples),
        262: (3, (2,)),
        277: (3, (samples,)),
    }
    if samples == 4:
        entries[338] = (3, (2,))
    assert near(colour(decode(tiff(entries, pixel))), (255, 128, 0), 1)


@pytest.mark.parametrize(("least", "most"), [(0.0, 1.0), (-40.0, 3000.0), (5.0, 5.0)])
def test_floating_point_grey(least: float, most: float) -> None:
    """The unit interval as it is, other ranges from their least to their most; flat ones raise nothing."""
    ramp = np.tile(np.linspace(least, most, 64, dtype=np.float32), (2, 1))
    shown = np.asarray(decode(encode(Image.fromarray(ramp), "TIFF")))[0, :, 0].astype(int)
    expected = np.linspace(0, 255, 64) if most > least else np.zeros(64)
    assert np.abs(shown - expected).max() <= 1


def test_bilevel_pictures() -> None:
    """Faxes: black on white, whatever the file calls them."""
    image = scene().convert("1")
    for options in ({}, {"compression": "group4"}, {"compression": "group3"}):
        assert difference(decode(encode(image, "TIFF", **options)), image.convert("RGB")) == 0


def test_lab_tiff() -> None:
    """CIE L*a*b*, as some scanners and printers write it: white, black, a middle grey, a red."""
    for lab, light in (((255, 128, 128), WHITE), ((0, 128, 128), (0, 0, 0)), ((136, 208, 195), (255, 0, 0))):
        assert near(colour(decode(encode(Image.new("LAB", (8, 8), lab), "TIFF"))), light, 12)


def wide_profile() -> bytes:
    """A display whose red is greener than sRGB's: made by exchanging the columns of sRGB's own profile."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for index in range(int.from_bytes(profile[128:132], "big")):
        at = 132 + 12 * index
        places[bytes(profile[at : at + 4])] = at
    red, green = places[b"rXYZ"] + 4, places[b"gXYZ"] + 4
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    name = "sRGB".encode("utf-16-be")
    return bytes(profile).replace(name, "ours".encode("utf-16-be"))


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_a_profile_decides_the_colours(image_format: str) -> None:
    """Under a profile with red and green exchanged, red pixels are shown green, in every format."""
    options: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    data = encode(
        Image.new("RGB", (32, 32), (255, 0, 0)), image_format, icc_profile=wide_profile(), **options
    )
    assert near(colour(decode(data), 10, 10), (0, 255, 0), 6)


def test_a_profile_counts_for_palettes_alpha_and_drafts() -> None:
    """It is the colours' profile, not the pixels': whatever form they have."""
    red = Image.new("RGB", (640, 640), (255, 0, 0))
    small = read(encode(red, "JPEG", quality=95, icc_profile=wide_profile()), max_side=80).image
    assert small.size == (80, 80)
    assert near(colour(small), (0, 255, 0), 6)
    assert near(colour(decode(encode(red.quantize(2), "PNG", icc_profile=wide_profile()))), (0, 255, 0))
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    half.putpixel((0, 0), (0, 0, 0, 0))
    shown = decode(encode(half, "PNG", icc_profile=wide_profile()))
    assert near(colour(shown, 2, 2), (0, 255, 0))
    assert near(colour(shown), WHITE)


def linear_grey_profile() -> bytes:
    """A grey scale whose numbers are amounts of light: ICC 2.1, with the three tags that it needs."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(79),
        b"wtpt": b"XYZ " + bytes(4) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D),
        b"kTRC": b"curv" + bytes(8),
    }
    table, body, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4xI4s4s4s12x4s", start + len(body), 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"acsp"
    )
    header = header.ljust(68, b"\0") + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF"])
def test_a_grey_profile(image_format: str) -> None:
    """A fifth of the light is a middle grey on an sRGB screen."""
    data = encode(Image.new("L", (16, 16), 55), image_format, icc_profile=linear_grey_profile())
    assert near(colour(decode(data)), (128, 128, 128))


def test_a_profile_of_another_kind_of_pixels_is_ignored() -> None:
    """Grey pixels under a colour profile, and colours under a grey one, are shown by their numbers."""
    grey = encode(Image.new("L", (4, 4), 100), "PNG", icc_profile=wide_profile())
    assert colour(decode(grey)) == (100, 100, 100)
    red = encode(Image.new("RGB", (4, 4), (200, 0, 0)), "PNG", icc_profile=linear_grey_profile())
    assert colour(decode(red)) == (200, 0, 0)


@pytest.mark.parametrize("profile", [b"", b"nonsense", wide_profile()[:200], bytes(4000)])
def test_a_damaged_profile_is_ignored(profile: bytes) -> None:
    """The picture is shown as if it had none."""
    data = encode(scene(), "PNG", icc_profile=profile)
    assert difference(decode(data), scene()) == 0


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_the_first_frame_of_an_animation(image_format: str) -> None:
    """Of several frames or pages the first is shown."""
    frames = [Image.new("RGB", (32, 32), name) for name in ("red", "lime", "blue")]
    data = encode(frames[0], image_format, save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(data)) as opened:
        assert getattr(opened, "n_frames", 1) == 3
    assert near(colour(decode(data), 16, 16), (255, 0, 0), 4)


def test_the_first_of_two_pictures_in_a_phones_jpeg() -> None:
    """Phones append depth maps and previews (MPO)."""
    data = encode(scene(), "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))], quality=95)
    picture = read(data)
    assert picture.mime_type == "image/jpeg"
    assert difference(picture.image, scene()) < 6


def test_a_gif_frame_smaller_than_its_canvas_lies_on_white() -> None:
    """What no frame covers is transparent, as browsers have it."""
    data = bytearray(encode(Image.new("P", (4, 4), 1), "GIF"))
    data[6:10] = struct.pack("<HH", 8, 8)
    shown = decode(bytes(data))
    assert shown.size == (8, 8)
    assert colour(shown, 7, 7) == WHITE
