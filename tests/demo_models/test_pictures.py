"""Training pictures: what they show, what they never show, and that the models will see the same."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from dam.drawing.nouns import NOUNS
from dam.drawing.painting import paint
from dam.drawing.scenes import WIDTH, distinct_held_out, draw_scenes
from demo_models.pictures import NOTHING, draw_ahead, draw_batch, label_patches, shrink
from demo_models.shape import GRID, SIDE


def test_batch_depends_on_its_seed_alone() -> None:
    """The same seed gives the same batch, so that a continued run sees what it would have seen."""
    first, again, other = draw_batch(3, 6), draw_batch(3, 6), draw_batch(4, 6)
    assert first.captions == again.captions != other.captions
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.patches, again.patches)
    assert first.pixels.shape == (6, SIDE, SIDE, 3)
    assert first.patches.shape == (6, GRID * GRID)


def test_drawn_ahead_in_order() -> None:
    """Batches drawn by another process come in the order of their steps, also where a run continues."""
    whole = [batch.captions for batch in draw_ahead(1, range(5), 2, ahead=2)]
    continued = [batch.captions for batch in draw_ahead(1, range(3, 5), 2, ahead=2)]
    assert len(whole) == 5
    assert continued == whole[3:]


def test_never_held_out() -> None:
    """No caption of the held-out pictures that scores are taken on is ever trained on."""
    trained = {scene.caption for scene in islice(draw_scenes(5, held_out=False), 20_000)}
    assert trained.isdisjoint(scene.caption for scene in distinct_held_out(500, 500))


def test_patches_name_what_they_show() -> None:
    """The patch at an object's centre bears its noun; most patches of a picture show nothing."""
    empty = []
    for scene in distinct_held_out(2, 100):
        labels = label_patches(scene).reshape(GRID, GRID)
        for placed in scene.placed:
            label = labels[int(placed.y * GRID), int(placed.x / WIDTH * GRID)]
            assert NOUNS[label] == placed.noun
        assert set(labels.ravel()) <= {NOTHING, *(NOUNS.index(placed.noun) for placed in scene.placed)}
        empty.append((labels == NOTHING).mean())
    assert np.mean(empty) > 0.5


@pytest.mark.parametrize("height", [120, 480])
def test_models_see_what_training_saw(height: int) -> None:
    """Both models' own preprocessing of a picture, large or small, is close to what training made of it."""
    located = locate("demo", None)
    captioner, embedder = Captioner(located.captioner), Embedder(located.embedder)
    for scene in distinct_held_out(2, 5):
        picture = paint(scene, height)
        trained = torch.from_numpy(np.asarray(shrink(paint(scene, 120)), dtype=np.float32))
        for seen in (captioner.prepare(picture), embedder.prepare_image(picture)):
            assert seen.shape == (3, SIDE, SIDE)
            levels = denormalise(seen).permute(1, 2, 0) - trained
            assert levels.abs().mean() < 4  # of 255


def denormalise(pixels: torch.Tensor) -> torch.Tensor:
    """Back to 0 to 255, with CLIP's and BLIP's common mean and spread."""
    mean = torch.tensor(OPENAI_DATASET_MEAN).view(3, 1, 1)
    spread = torch.tensor(OPENAI_DATASET_STD).view(3, 1, 1)
    return (pixels * spread + mean) * 255
