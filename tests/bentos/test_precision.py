"""The captioner in half the precision: an option, and never another caption."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from bentos.captioner import Captioner
from bentos.modelsets import locate
from bentos.settings import BentoSettings
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLES: Final = sorted((Path(__file__).parents[2] / "samples").glob("drawn-*"))[::5]
BATCH: Final = 8


def caption_all(captioner: Captioner, pixels: Sequence[torch.Tensor]) -> list[str]:
    batches = [pixels[at : at + BATCH] for at in range(0, len(pixels), BATCH)]
    return [caption for batch in batches for caption in captioner.caption(batch)]


def test_half_the_precision_is_off_unless_it_is_asked_for() -> None:
    """Who sets nothing gets what transformers gives."""
    assert BentoSettings().caption_bfloat16 is False


def test_captions_stay_the_same_in_half_the_precision() -> None:
    """Of every fifth sample picture; and what the vision tower sees is nearly the same."""
    folder = locate("demo", None).captioner
    full, half = Captioner(folder), Captioner(folder, bfloat16=True)
    pixels = [full.prepare(decode(path.read_bytes())) for path in SAMPLES]
    assert len(pixels) >= 10
    assert caption_all(half, pixels) == caption_all(full, pixels)
    with torch.inference_mode():
        exact, rough = (captioner._look_at(pixels[:BATCH]).flatten(1) for captioner in (full, half))
    assert not torch.equal(exact, rough)
    assert torch.cosine_similarity(exact, rough).min() >= 0.999
