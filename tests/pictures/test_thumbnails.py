"""Thumbnails and the placeholder that is shown until they have loaded."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from thumbhash import rgba_to_thumb_hash

from dam.keys import THUMBNAIL_SIZES
from dam.pictures.decoding import read
from dam.pictures.thumbnails import make_thumbnails, placeholder
from tests.pictures.files import difference, encode, scene


def opened(thumbnail: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(thumbnail))
    assert image.format == "WEBP"
    image.load()
    return image


def test_each_size_is_the_longest_side_of_a_webp() -> None:
    """Of the sizes that the pipeline stores, with the picture's proportions and its looks."""
    large = scene(1500, 1000)
    before = large.tobytes()
    thumbnails = make_thumbnails(large, THUMBNAIL_SIZES)
    assert large.tobytes() == before
    assert set(thumbnails) == set(THUMBNAIL_SIZES)
    for size, data in thumbnails.items():
        small = opened(data)
        expected = (size, round(size * 2 / 3)) if size < 1500 else large.size
        assert small.size == expected
        assert difference(small, large.resize(expected, Image.Resampling.LANCZOS)) < 4


def test_a_small_picture_is_never_enlarged() -> None:
    """Its thumbnails are as large as itself."""
    thumbnails = make_thumbnails(scene(40, 30), (512, 20))
    assert opened(thumbnails[512]).size == (40, 30)
    assert opened(thumbnails[20]).size == (20, 15)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 4096)])
def test_extreme_proportions(size: tuple[int, int]) -> None:
    """A side is never less than one pixel, and the placeholder is made all the same."""
    image = Image.new("RGB", size, (10, 200, 30))
    for limit, data in make_thumbnails(image, (256, 64)).items():
        assert min(opened(data).size) >= 1
        assert max(opened(data).size) <= limit
    assert base64.b64decode(placeholder(image), validate=True)


def test_a_thumbnail_carries_nothing_of_the_original() -> None:
    """No place where it was taken, no profile: it is upright sRGB, and small."""
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    data = encode(scene(600, 400), "JPEG", exif=exif, comment=b"secret words")
    for thumbnail in make_thumbnails(read(data).image, THUMBNAIL_SIZES).values():
        assert b"secret" not in thumbnail
        assert b"EXIF" not in thumbnail
        assert b"ICCP" not in thumbnail


def test_a_draft_gives_the_same_thumbnails_as_the_whole() -> None:
    """Decoding a large JPEG small is a matter of speed alone."""
    data = encode(scene(1600, 1200), "JPEG", quality=95)
    whole, draft = read(data).image, read(data, max_side=256).image
    assert draft.size == (400, 300)
    one = opened(make_thumbnails(whole, (256,))[256])
    other = opened(make_thumbnails(draft, (256,))[256])
    assert difference(one, other) < 2


@pytest.mark.parametrize(("width", "height"), [(640, 400), (400, 640), (641, 399), (4000, 130), (90, 70)])
@pytest.mark.parametrize("max_side", [64, 100, 256, 5000])
def test_a_draft_is_never_smaller_than_asked_for(width: int, height: int, max_side: int) -> None:
    """Whatever the proportions: the longer side is at least `max_side`, or the original's."""
    picture = read(encode(scene(width, height), "JPEG"), max_side=max_side)
    assert (picture.width, picture.height) == (width, height)
    assert max(picture.image.size) >= min(max_side, width, height)
    assert max(picture.image.size) >= min(max_side, max(width, height))


def test_the_placeholder_is_a_thumbhash() -> None:
    """The published algorithm's bytes for the picture at 32 pixels, in base64; alike pictures look alike."""
    image = scene(320, 200)
    small = image.resize((32, 20), Image.Resampling.LANCZOS, reducing_gap=3.0).convert("RGBA")
    assert base64.b64decode(placeholder(image)) == bytes(rgba_to_thumb_hash(32, 20, list(small.tobytes())))
    assert len(placeholder(image)) < 40


def test_the_placeholder_shows_the_average_colour() -> None:
    """The first bytes are the mean lightness and colour, after the specification: read back here."""
    for colour in ((200, 40, 90), (20, 180, 60), (128, 128, 128)):
        data = base64.b64decode(placeholder(Image.new("RGB", (50, 40), colour)))
        header = data[0] | data[1] << 8 | data[2] << 16
        light, yellow, red = (header & 63) / 63, (header >> 6 & 63) / 31.5 - 1, (header >> 12 & 63) / 31.5 - 1
        blue = light - 2 / 3 * yellow
        shown = np.array([(3 * light - blue + red) / 2, (3 * light - blue - red) / 2, blue]) * 255
        assert np.abs(shown - colour).max() < 12
