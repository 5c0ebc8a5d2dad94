"""Training at its smallest: it learns, it can be interrupted, and what it writes is what is served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from dam.drawing.painting import paint
from dam.drawing.scenes import distinct_held_out
from demo_models.scoring import score
from demo_models.training import CURVE, Pauses, Plan, train
from tests.bentos.reference import cosines

if TYPE_CHECKING:
    from pathlib import Path

PLAN = Plan(steps=12, batch=16, warm_up=2)
PAUSES = Pauses(tell=1, keep=4, score=1000)


class CutOffError(Exception):
    """Stands for whatever ends a run early."""


def test_a_few_steps(tmp_path: Path) -> None:
    """A few steps lower every loss, and leave a set that loads, captions and embeds as the learner does."""
    told: list[dict[str, float]] = []
    learner = train(PLAN, tmp_path / "demo", None, told.append, PAUSES)

    assert [line["step"] for line in told] == list(range(1, 13))
    for loss in ("caption", "matching", "patches"):
        assert told[-1][loss] < told[0][loss]
    assert json.loads((tmp_path / "demo" / CURVE).read_text()) == told

    located = locate("demo", tmp_path)
    assert located.description.caption.revision == "drawn-1-12"
    captioner, embedder = Captioner(located.captioner), Embedder(located.embedder)
    pictures = [paint(scene) for scene in distinct_held_out(1, 3)]
    assert len(captioner.caption([captioner.prepare(picture) for picture in pictures])) == 3

    pixels = [embedder.prepare_image(picture) for picture in pictures]
    pair = learner.averaged.module
    with torch.inference_mode():
        seen = pair.blip.vision_model(pixel_values=torch.stack(pixels)).last_hidden_state
        learnt = seen[:, 1:].mean(dim=1) @ pair.clip.visual.proj
    served = cosines(embedder.embed_images(pixels), learnt.tolist())
    assert served.diagonal().min() > 0.9999  # half precision on disk


def test_interruption(tmp_path: Path) -> None:
    """A run that was cut off and continued learns what an uninterrupted one learns."""
    plan = Plan(steps=8, batch=8, warm_up=2)
    whole = train(plan, tmp_path / "whole", None, lambda _: None, PAUSES)

    def cut_off(line: dict[str, float]) -> None:
        if line["step"] == 6:
            raise CutOffError

    with pytest.raises(CutOffError):
        train(plan, tmp_path / "cut", tmp_path / "checkpoint", cut_off, PAUSES)
    told: list[dict[str, float]] = []
    continued = train(plan, tmp_path / "cut", tmp_path / "checkpoint", told.append, PAUSES)

    assert [line["step"] for line in told] == [5, 6, 7, 8]  # the checkpoint was kept after four
    losses = [[line[name] for name in ("caption", "matching", "patches")] for line in continued.curve]
    expected = [[line[name] for name in ("caption", "matching", "patches")] for line in whole.curve]
    assert losses == [pytest.approx(line, rel=0.02) for line in expected]


def test_untrained_scores_nothing(tmp_path: Path) -> None:
    """The scores are no gift: after two steps no caption is right, and few texts find their picture."""
    train(Plan(steps=2, batch=4), tmp_path / "demo", None, lambda _: None, PAUSES)
    shares = score(tmp_path / "demo", 40)
    assert shares["pictures"] == 40
    assert shares["caption_exact_match"] == 0
    assert shares["recall_at_1"] < 0.5
