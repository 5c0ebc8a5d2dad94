"""The captioner: BLIP from `transformers`, one sentence a picture, greedy.

Plain Python, used by `engine` and testable without BentoML. `prepare` is for any thread, `caption` for one
thread at a time. It must give what transformers' own processor and `generate` give for a lone picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from transformers import BlipForConditionalGeneration, BlipProcessor

from bentos.packing import pack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image

_DEFAULT_TOKENS: Final = 20
"""How many tokens `generate` adds where a model states no limit; it warns unless it is told so."""


class Captioner:
    """A BLIP in `folder`, as `save_pretrained` wrote model and processor.

    With `bfloat16` its vision tower multiplies in half the precision: more than twice as fast on processors
    that can (`avx512_bf16`, AMX), slower on others.
    """

    def __init__(self, folder: Path, *, bfloat16: bool = False) -> None:
        self._processor: Any = BlipProcessor.from_pretrained(folder, local_files_only=True)
        model: Any = BlipForConditionalGeneration.from_pretrained(folder, local_files_only=True)
        self._model: Any = model.eval()
        pack(model.text_decoder if bfloat16 else model)  # what is packed is multiplied in full precision
        self._bfloat16 = bfloat16
        limits: Any = model.text_decoder.generation_config
        if limits.max_length is None and limits.max_new_tokens is None:
            limits.max_new_tokens = _DEFAULT_TOKENS

    def prepare(self, image: Image) -> torch.Tensor:
        """An RGB picture to the model's pixels: float32, 3 x side x side."""
        pixels: torch.Tensor = self._processor.image_processor(images=image, return_tensors="pt")[
            "pixel_values"
        ]
        return pixels[0]

    @torch.inference_mode()
    def caption(self, pixels: Sequence[torch.Tensor]) -> list[str]:
        """One caption for each of the prepared pictures, in their order.

        The vision tower gains nothing from batches on a CPU and needs much memory for them, so it sees one
        picture at a time; the decoder gains threefold and sees all. What follows is BLIP's own `generate`.
        """
        seen = self._look_at(pixels)
        config = self._model.config.text_config
        tokens = self._model.text_decoder.generate(
            input_ids=torch.full((len(pixels), 1), config.bos_token_id, dtype=torch.long),
            eos_token_id=config.sep_token_id,
            pad_token_id=config.pad_token_id,
            encoder_hidden_states=seen,
            encoder_attention_mask=torch.ones(seen.shape[:-1], dtype=torch.long),
        )
        captions: list[str] = self._processor.batch_decode(tokens, skip_special_tokens=True)
        return [caption.strip() for caption in captions]

    def _look_at(self, pixels: Sequence[torch.Tensor]) -> torch.Tensor:
        """What the vision tower sees: float32, pictures x patches x width."""
        # One context for all pictures: the weights are made smaller once for each batch.
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bfloat16):
            seen = [self._model.vision_model(pixel_values=one.unsqueeze(0))[0] for one in pixels]
        return torch.cat(seen).float()
