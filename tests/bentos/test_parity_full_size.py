"""Parity at the size of the `base` set: ViT-B/32 and BLIP base, randomly initialised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.tiny import write_blip, write_clip
from tests.bentos.reference import (
    SAME,
    TEXTS,
    ReferenceCaptioner,
    ReferenceEmbedder,
    cosines,
    make_pictures,
)

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = make_pictures()[:3]


@pytest.mark.filterwarnings("ignore:Using the model-agnostic default `max_length`:UserWarning")
def test_captions(tmp_path: Path) -> None:
    """Two pictures captioned together get what transformers says of each alone."""
    write_blip(tmp_path, "base")
    ours = Captioner(tmp_path)
    captions = ours.caption([ours.prepare(picture) for picture in PICTURES[:2]])
    del ours  # a gigabyte
    reference = ReferenceCaptioner(tmp_path)
    assert captions == [reference.caption(picture) for picture in PICTURES[:2]]
    assert captions[0] != captions[1], "captions that do not depend on the picture would prove nothing"


def test_vectors(tmp_path: Path) -> None:
    """Pictures and texts, each kind embedded together, get the vectors that open_clip gives each alone."""
    assert write_clip(tmp_path, "base") == 512
    ours, reference = Embedder(tmp_path), ReferenceEmbedder(tmp_path)
    images = ours.embed_images([ours.prepare_image(picture) for picture in PICTURES])
    texts = ours.embed_texts([ours.prepare_text(text) for text in TEXTS])
    theirs = [reference.embed_image(picture) for picture in PICTURES]
    likeness = cosines([*images, *texts], [*theirs, *(reference.embed_text(text) for text in TEXTS)])
    assert np.diag(likeness).min() >= SAME
    assert likeness[~np.eye(len(likeness), dtype=bool)].max() < SAME
