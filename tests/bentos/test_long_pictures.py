"""Pictures that are extremely long and thin: few bytes, and never gigabytes on their way to CLIP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import open_clip
import pytest
import torch
from PIL import Image

from bentos.embedder import Embedder
from bentos.tiny import write_clip

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    write_clip(folder, "tiny")
    return folder


@pytest.mark.parametrize("size", [(3, 4001), (4000, 3), (2, 402), (2, 400), (1, 1000), (1000, 1)])
def test_only_the_middle_of_a_long_picture_counts(folder: Path, size: tuple[int, int]) -> None:
    """A long picture gives the pixels that open_clip's own preprocess gives for all of it."""
    image = Image.effect_noise(size, 90).convert("RGB")
    embedder = Embedder(folder)
    _, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    expected: Any = preprocess(image)
    assert torch.allclose(embedder.prepare_image(image), expected, atol=1e-6)


def test_line_is_never_resized_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing larger than a few hundred squares is made of a line of a million pixels."""
    made: list[int] = []
    resize = Image.Image.resize

    def note(self: Image.Image, size: Any, *rest: Any, **named: Any) -> Image.Image:
        made.append(size[0] * size[1])
        return resize(self, size, *rest, **named)

    monkeypatch.setattr(Image.Image, "resize", note)
    assert Embedder(folder).prepare_image(Image.new("RGB", (1, 1_000_000))).shape == (3, 48, 48)
    assert made
    assert max(made) <= 48 * 48 * 200
