"""What transformers and open_clip themselves answer: the truth that parity tests hold our models against.

Only the libraries' documented calls, one input at a time; nothing of ours but the folder's names.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import open_clip
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SAME: Final = 0.9999
"""The least cosine of two vectors that are meant to be the same."""
TEXTS: Final = (
    "a boat",
    "!$",  # CLIP's number for this "!" is that of its padding
    "two red houses, and a tree: above the sea!!!",
    "ÜBER den Wolken — 雲の上で 🐳",
    "",
    "a very long tale of the sea " * 40,  # cut at the model's context length
    "the dog",
    "three foxes on plain red",
)


class ReferenceCaptioner:
    """BLIP as its model card shows it."""

    def __init__(self, folder: Path) -> None:
        self._processor: Any = BlipProcessor.from_pretrained(folder)
        self._model: Any = BlipForConditionalGeneration.from_pretrained(folder)

    @torch.no_grad()
    def caption(self, image: Image.Image) -> str:
        """The greedy caption of one picture."""
        inputs = self._processor(images=image, return_tensors="pt")
        tokens = self._model.generate(**inputs, do_sample=False, num_beams=1)
        caption: str = self._processor.decode(tokens[0], skip_special_tokens=True)
        return caption


class ReferenceEmbedder:
    """CLIP as open_clip's README shows it."""

    def __init__(self, folder: Path) -> None:
        name = f"local-dir:{folder}"
        model, self._preprocess = open_clip.create_model_from_pretrained(name)
        self._model: Any = model.eval()
        self._tokenize = open_clip.get_tokenizer(name)

    @torch.no_grad()
    def embed_image(self, image: Image.Image) -> list[float]:
        """The unit vector of one picture."""
        vectors = self._model.encode_image(self._preprocess(image).unsqueeze(0), normalize=True)
        return [float(value) for value in vectors[0]]

    @torch.no_grad()
    def embed_text(self, text: str) -> list[float]:
        """The unit vector of one text."""
        vectors = self._model.encode_text(self._tokenize([text]), normalize=True)
        return [float(value) for value in vectors[0]]


def make_pictures() -> list[Image.Image]:
    """Pictures that have little in common, of usual and of odd sizes."""
    random = np.random.default_rng(20250101)
    sizes = ((640, 480), (300, 401), (97, 131), (48, 48), (1, 1), (1, 400), (600, 3))
    pictures = []
    for number, size in enumerate(sizes, start=1):
        blotches = random.integers(0, 256, (number, number + 1, 3), dtype=np.uint8)
        pictures.append(Image.fromarray(blotches).resize(size, Image.Resampling.BICUBIC))
    return [*pictures, Image.new("RGB", (200, 100), "red"), Image.new("RGB", (100, 200), "white")]


def encode(image: Image.Image, image_format: str) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


def cosines(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Of each of ours with each of theirs."""
    left, right = np.asarray(ours), np.asarray(theirs)
    lengths = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
    likeness: NDArray[np.float64] = left @ right.T / lengths
    return likeness
