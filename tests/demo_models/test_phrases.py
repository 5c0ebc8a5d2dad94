"""Short queries: what they are meant to find, and that teaching them changes the text tower alone."""

from __future__ import annotations

import shutil
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from safetensors.torch import load_file, save_file

from bentos.embedder import Embedder
from bentos.modelsets import DEMO_FOLDER, locate
from dam.drawing.nouns import NOUNS
from dam.drawing.painting import paint
from dam.drawing.scenes import distinct_held_out, draw_scenes
from demo_models.phrases import SUFFIX, Plan, Query, draw_query, teach

if TYPE_CHECKING:
    from pathlib import Path

    import torch

WEIGHTS = "clip/open_clip_model.safetensors"


def test_queries_find_their_scene() -> None:
    """Whatever query is drawn from a scene finds it, and there are many."""
    random = Random(1)  # noqa: S311 - must be repeatable
    texts = set()
    for scene in islice(draw_scenes(1, held_out=False), 2000):
        query = draw_query(scene, random)
        assert query.finds(scene)
        texts.add(query.text)
    assert len(texts) > 1000


def test_queries_find_no_other() -> None:
    """Another noun, count or background is no answer; a noun alone leaves the count open."""
    scenes = list(islice(draw_scenes(2, held_out=False), 3000))
    [two, *_] = [scene for scene in scenes if [group.count for group in scene.groups] == [2]]
    noun, background = two.groups[0].noun.singular, two.background.phrase()
    assert Query("", ((noun, None),)).finds(two)
    assert Query("", ((noun, 2),), background).finds(two)
    assert not Query("", ((noun, 3),)).finds(two)
    assert not Query("", ((noun, 2),), "on another background").finds(two)
    assert not Query("", ((noun, 2), ("unseen", None))).finds(two)


def test_teaching(tmp_path: Path) -> None:
    """A few steps lower the loss and change neither vision tower nor captioner; the revision tells of it."""
    folder = tmp_path / "demo"
    shutil.copytree(DEMO_FOLDER, folder)
    before = forget_texts(folder)
    losses = teach(folder, Plan(pictures=64, steps=15, batch=32))
    after = locate("demo", tmp_path).description

    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert after.embedding.revision.endswith(SUFFIX)
    assert after.caption == locate("demo", None).description.caption
    taught = load_file(folder / WEIGHTS)
    changed = {name for name in before if not before[name].equal(taught[name])}
    assert "text_projection" in changed
    assert not [name for name in changed if name.startswith("visual.")]


def forget_texts(folder: Path) -> dict[str, torch.Tensor]:
    """Undo what the set in `folder` has learnt of texts; answers its weights."""
    weights = load_file(folder / WEIGHTS)
    weights["text_projection"] = weights["text_projection"].roll(1, dims=1)
    save_file(weights, folder / WEIGHTS)
    return weights


def test_committed_models_know_short_queries() -> None:
    """A noun alone mostly finds a picture of it first, among held-out pictures (before that stage: 0.45)."""
    embedder = Embedder(DEMO_FOLDER / "clip")
    scenes = distinct_held_out(3, 200)
    pixels = [embedder.prepare_image(paint(scene, 240)) for scene in scenes]
    images = np.array(embedder.embed_images(pixels))
    hits = []
    for noun in NOUNS:
        answers = {i for i, scene in enumerate(scenes) if noun in [group.noun for group in scene.groups]}
        if answers:
            text = np.array(embedder.embed_texts([embedder.prepare_text(noun.singular)])[0])
            hits.append(int((images @ text).argmax()) in answers)
    assert len(hits) > 100
    assert np.mean(hits) >= 0.7
