"""Whatever bytes arrive: a picture or a refusal with a stable code, never another error, never a crash."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dam.errors import PictureError
from dam.pictures.decoding import Picture, read
from dam.pictures.thumbnails import make_thumbnails, placeholder
from tests.pictures.files import WAYS, written

# Pillow warns of odd metadata, which is told here as an error; a service only logs it.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")

CODES: Final = {"not_an_image", "unsupported_format", "truncated", "too_many_pixels", "broken_image"}
MAX_PIXELS: Final = 4_000_000
EXAMPLES: Final = 60

Change = tuple[str, float, int, bytes]
CHANGES: Final = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "remove", "repeat", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(1, 64),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def changed(data: bytes, changes: list[Change]) -> bytes:
    """The file after each change, at a place given as a share of its length; most fall among the headers."""
    for how, where, count, new in changes:
        at = int(where**3 * len(data))
        data = {
            "overwrite": data[:at] + new + data[at + len(new) :],
            "insert": data[:at] + new + data[at:],
            "remove": data[:at] + data[at + count :],
            "repeat": data[: at + count] + data[at:],
            "cut": data[: at + count],
        }[how]
    return data


def read_or_refuse(data: bytes, max_side: int | None) -> Picture | None:
    try:
        return read(data, max_pixels=MAX_PIXELS, max_side=max_side)
    except PictureError as refused:
        error = refused
    assert error.code in CODES
    assert str(error).endswith(".")
    assert "object at 0x" not in str(error)
    return None


@pytest.mark.parametrize("way", WAYS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=CHANGES, max_side=st.sampled_from([None, 16]))
def test_a_changed_file_is_a_picture_or_a_refusal(
    way: str, changes: list[Change], max_side: int | None
) -> None:
    """What is still decoded can be made a thumbnail and a placeholder of, as the pipeline will."""
    picture = read_or_refuse(changed(written(way), changes), max_side)
    if picture is not None:
        assert picture.image.mode == "RGB"
        assert 0 < picture.width * picture.height <= MAX_PIXELS
        assert set(make_thumbnails(picture.image, (32, 16))) == {32, 16}
        assert placeholder(picture.image)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(data=st.binary(max_size=600), head=st.sampled_from([written(way)[:24] for way in WAYS]))
def test_noise_behind_a_true_head_is_refused_in_words(data: bytes, head: bytes) -> None:
    """The first bytes of every kind of file, and then nonsense."""
    read_or_refuse(head + data, None)
