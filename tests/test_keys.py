"""Keys of originals: ours right below `assets/`, those of the original project where it put them."""

from __future__ import annotations

import pytest

from dam import keys
from dam.ids import is_former, new_id

FORMER = "3f2b9c1e-8a4d-4c6b-9e0f-1a2b3c4d5e6f"
OURS = new_id()


@pytest.mark.parametrize("key", [f"assets/{OURS}.jpg", f"assets/{OURS}.tar.gz"])
def test_our_original(key: str) -> None:
    """Its id is in its name."""
    assert keys.asset_id_of(key) == OURS
    assert not is_former(OURS)


@pytest.mark.parametrize("key", [f"assets/{FORMER}.jpg", f"images/{FORMER}.jpg", f"a/b/{FORMER}.png"])
def test_an_original_of_the_original_project(key: str) -> None:
    """It may lie below any prefix that is not one of ours."""
    assert keys.asset_id_of(key) == FORMER


@pytest.mark.parametrize(
    "key",
    [
        f"images/{OURS}.jpg",
        f"assets/2024/{FORMER}.jpg",
        f"vectors/{FORMER}.json",
        f"vectors/primary/{FORMER}.json",
        f"thumbs/{FORMER}.webp",
        f"metadata/{FORMER}.parquet",
        f"hashes/{FORMER}",
        f"access/{FORMER}.json",
        f"search/{FORMER}.lance",
        f"{FORMER}.jpg",
        f"/{FORMER}.jpg",
        f"images//{FORMER}.jpg",
        f"images/../{FORMER}.jpg",
        f"images/{FORMER.upper()}.jpg",
        "assets/holiday.jpg",
        "assets/",
        "",
    ],
)
def test_no_original(key: str) -> None:
    """No message may name an object that is something else."""
    assert keys.asset_id_of(key) is None


def test_vectors_of_an_adopted_asset() -> None:
    """They have a place of their own: at the usual one lies what the original project wrote."""
    assert keys.vector(OURS) == f"vectors/{OURS}.json"
    assert keys.vector(FORMER) == f"vectors/primary/{FORMER}.json"
    assert keys.vector(FORMER, "scenes") == f"vectors/scenes/{FORMER}.json"
    assert keys.former_vector(FORMER) == f"vectors/{FORMER}.json"
