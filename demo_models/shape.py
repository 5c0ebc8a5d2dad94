"""The shape of both demo models: one vision tower, a BLIP decoder and a CLIP text tower.

Stated once, for the training pictures and for the models. A BLIP vision tower and an open_clip one without
its first norm compute the same, so that both models are given the same tower.
"""

from __future__ import annotations

from typing import Any, Final

from demo_models.vocabulary import CONTEXT_LENGTH, PAD, SEP

SIDE: Final = 96
PATCH: Final = 12
GRID: Final = SIDE // PATCH
DIM: Final = 128
"""Length of the CLIP vectors."""
NORM_EPS: Final = 1e-5

VISION: Final[dict[str, Any]] = {
    "hidden_size": 160,
    "intermediate_size": 640,
    "num_hidden_layers": 4,
    "num_attention_heads": 5,
    "image_size": SIDE,
    "patch_size": PATCH,
    "layer_norm_eps": NORM_EPS,
    "hidden_act": "gelu",
    "initializer_range": 0.02,
}
DECODER: Final[dict[str, Any]] = {
    "hidden_size": 160,
    "encoder_hidden_size": VISION["hidden_size"],
    "intermediate_size": 480,
    "num_hidden_layers": 2,
    "num_attention_heads": 5,
    "projection_dim": DIM,
    "max_position_embeddings": 32,
    "label_smoothing": 0.0,
    "initializer_range": 0.02,
}


def clip_shape(vocabulary: int) -> dict[str, Any]:
    """open_clip's `model_cfg`."""
    return {
        "embed_dim": DIM,
        "vision_cfg": {
            "image_size": SIDE,
            "patch_size": PATCH,
            "width": VISION["hidden_size"],
            "layers": VISION["num_hidden_layers"],
            "head_width": VISION["hidden_size"] // VISION["num_attention_heads"],
            "mlp_ratio": VISION["intermediate_size"] / VISION["hidden_size"],
            "no_ln_pre": True,
            "pool_type": "avg",
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": vocabulary,
            "width": 128,
            "heads": 4,
            "layers": 2,
            "pad_id": PAD,
            "eos_id": SEP,
            "pool_type": "eos",
            "hf_tokenizer_name": "bert",
        },
    }
