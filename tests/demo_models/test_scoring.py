"""Scores: reckoned as they are defined, and high for the committed models."""

from __future__ import annotations

import pytest

from bentos.modelsets import DEMO_FOLDER
from dam.drawing.scenes import Scene, draw_scenes
from demo_models.scoring import reckon, score


def scenes_of(*objects: int) -> list[Scene]:
    """One scene for each number of objects."""
    drawn = draw_scenes(1, held_out=True)
    return [next(scene for scene in drawn if len(scene.placed) == number) for number in objects]


def test_reckoning() -> None:
    """Captions count when they are exact; a text is found where no other picture is liker to it."""
    scenes = scenes_of(1, 2, 2)
    captions = [scenes[0].caption, scenes[1].caption, scenes[2].caption + "s"]
    images = [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]
    texts = [[1.0, 0.0], [0.6, 0.8], [0.6, 0.8]]  # the second finds the third picture first
    shares = reckon(scenes, captions, images, texts)
    assert shares["pictures"] == 3
    assert shares["caption_exact_match"] == pytest.approx(2 / 3)
    assert shares["recall_at_1"] == pytest.approx(2 / 3)
    assert shares["recall_at_5"] == 1
    assert shares["by_objects"]["1 object"] == {
        "pictures": 1, "caption_exact_match": 1.0, "recall_at_1": 1.0, "recall_at_5": 1.0,
    }  # fmt: skip
    assert shares["by_objects"]["2 objects"]["caption_exact_match"] == 0.5
    assert shares["by_objects"]["2 objects"]["recall_at_1"] == 0.5


def test_committed_models() -> None:
    """What is committed captions and finds held-out pictures as its card says (which is of more pictures)."""
    shares = score(DEMO_FOLDER, 60)
    assert shares["caption_exact_match"] >= 0.95
    assert shares["recall_at_1"] >= 0.90
    assert {*shares["by_objects"]} == {"1 object", "2 objects", "3 objects"}
