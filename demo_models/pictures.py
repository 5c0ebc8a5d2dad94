"""Training batches: drawn pictures as the models will see them, their captions and what each patch shows.

Called by `training`. A batch depends on its seed alone, so that a run that was interrupted continues with the
pictures it would have seen. Never draws a held-out combination.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from dam.drawing.nouns import NOUNS
from dam.drawing.painting import paint
from dam.drawing.scenes import WIDTH, draw_scenes
from demo_models.shape import GRID, SIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dam.drawing.scenes import Scene

NOTHING: Final = len(NOUNS)
"""The label of a patch without an object."""
DRAWN_HEIGHT: Final = 120  # a quarter of a sample's: looks the same at the models' 96 pixels, draws faster
_REACH: Final = 0.42  # of an object's size: how far from its centre a patch still shows it
_NUMBER: Final = {noun.singular: number for number, noun in enumerate(NOUNS)}
_SEEDS_PER_RUN: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures (n, side, side, 3) as bytes, n captions, and a noun's number for each patch (n, grid²)."""

    pixels: NDArray[np.uint8]
    captions: list[str]
    patches: NDArray[np.int64]


def shrink(picture: Image.Image) -> Image.Image:
    """As both models' own preprocessing does: squashed to a square, bicubic."""
    return picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def label_patches(scene: Scene) -> NDArray[np.int64]:
    """For each patch, in rows from the top left, the number of the noun nearest to its centre."""
    labels = np.full((GRID, GRID), NOTHING, dtype=np.int64)
    nearest = np.full((GRID, GRID), _REACH)
    centres = (np.arange(GRID) + 0.5) / GRID
    for placed in scene.placed:
        x, y = centres[None, :] * WIDTH - placed.x, centres[:, None] - placed.y
        distance = np.hypot(x, y) / placed.size
        labels = np.where(distance < nearest, _NUMBER[placed.noun.singular], labels)
        nearest = np.minimum(distance, nearest)
    return labels.ravel()


def draw_batch(seed: int, size: int) -> Batch:
    """One batch of training pictures."""
    scenes = list(islice(draw_scenes(seed, held_out=False), size))
    return Batch(
        np.stack([np.asarray(shrink(paint(scene, DRAWN_HEIGHT))) for scene in scenes]),
        [scene.caption for scene in scenes],
        np.stack([label_patches(scene) for scene in scenes]),
    )


def draw_ahead(seed: int, steps: range, size: int, *, ahead: int = 6) -> Iterator[Batch]:
    """The batches of these steps, drawn by a second process while the models learn."""
    seeds = [seed * _SEEDS_PER_RUN + step for step in steps]
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as drawer:
        waiting = [drawer.submit(draw_batch, each, size) for each in seeds[:ahead]]
        for index in range(len(seeds)):
            batch = waiting.pop(0).result()
            if index + ahead < len(seeds):
                waiting.append(drawer.submit(draw_batch, seeds[index + ahead], size))
            yield batch
