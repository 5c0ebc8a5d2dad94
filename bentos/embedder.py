"""The embedder: CLIP from `open_clip`, pictures and texts to unit vectors of one space.

Plain Python, used by `engine` and testable without BentoML. The `prepare_*` are for any thread, the `embed_*`
for one thread each. It must give what open_clip's own preprocess and model give for a lone input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import open_clip
import torch
from open_clip.transformer import text_global_pool

from bentos.packing import pack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image

_LONGEST: Final = 200
"""A picture's longer side, in shorter sides; of more, only the middle is resized."""


class Embedder:
    """A CLIP in `folder`: `open_clip_config.json` and `open_clip_model.safetensors`."""

    def __init__(self, folder: Path) -> None:
        source = f"local-dir:{folder}"
        model, preprocess = open_clip.create_model_from_pretrained(source)
        self._model: Any = model.eval()
        pack(self._model)
        self._preprocess: Any = preprocess
        self._tokenize: Any = open_clip.get_tokenizer(source)
        # Other sets squash the whole picture into the square: for those a long one is nothing special.
        self._cuts_out_the_middle = open_clip.get_model_preprocess_cfg(model)["resize_mode"] == "shortest"
        # A model whose text tower is of another build is called as it is.
        self._crops = isinstance(model, open_clip.CLIP) and model.text_pool_type in {"argmax", "eos"}

    def prepare_image(self, image: Image) -> torch.Tensor:
        """An RGB picture to the model's pixels: float32, 3 x side x side."""
        pixels: torch.Tensor = self._preprocess(_middle(image) if self._cuts_out_the_middle else image)
        return pixels

    def prepare_text(self, text: str) -> torch.Tensor:
        """A text to the model's tokens, padded to its context length; what is longer is cut."""
        tokens: torch.Tensor = self._tokenize([text])
        return tokens[0]

    @torch.inference_mode()
    def embed_images(self, pixels: Sequence[torch.Tensor]) -> list[list[float]]:
        """One vector of length 1 for each of the prepared pictures, in their order."""
        return _unit(self._model.encode_image(torch.stack(tuple(pixels))))

    @torch.inference_mode()
    def embed_texts(self, tokens: Sequence[torch.Tensor]) -> list[list[float]]:
        """One vector of length 1 for each of the prepared texts, in their order."""
        batch = torch.stack(tuple(tokens))
        return _unit(self._encode_cropped(batch) if self._crops else self._model.encode_text(batch))

    def _encode_cropped(self, tokens: torch.Tensor) -> torch.Tensor:
        """open_clip's `encode_text` without the padding behind the longest text.

        Attention is causal and the vector is read where a text ends, so that padding changes nothing but the
        time: a short text takes a third of it.
        """
        model = self._model
        # Counted from the last: 0 is padding, but in CLIP's own vocabulary also a "!".
        length = int((tokens != 0).nonzero()[:, 1].max()) + 1
        tokens = tokens[:, :length]
        hidden = model.token_embedding(tokens) + model.positional_embedding[:length]
        hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
        eos = getattr(model, "text_eos_id", None)
        pooled = text_global_pool(model.ln_final(hidden), tokens, model.text_pool_type, eos_token_id=eos)
        projection = model.text_projection
        if isinstance(projection, torch.nn.Module):
            pooled = projection(pooled)
        elif projection is not None:
            pooled = pooled @ projection
        vectors: torch.Tensor = pooled
        return vectors


def _middle(image: Image) -> Image:
    """The middle of an extremely long picture, and any other as it is.

    open_clip resizes by the shorter side and then cuts out the middle square, so a line of 1 x 60,000 pixels
    would grow to 9 GB first. What is cut off here is even, so that the middle stays where it is.
    """
    limit = _LONGEST * min(image.size)
    left, top = ((max(side - limit, 0) + 1) // 2 for side in image.size)
    return image.crop((left, top, image.width - left, image.height - top)) if left or top else image


def _unit(vectors: torch.Tensor) -> list[list[float]]:
    values: list[list[float]] = torch.nn.functional.normalize(vectors.float(), dim=-1).tolist()
    return values
