"""Model sets of untrained weights: `python -m bentos.tiny OUTDIR [--size tiny|base]`.

They load and run by the very code of the real ones and say nothing sensible: `tiny` is for tests, `base` has
the size of the real `base` set and is for benchmarks and parity tests. Deterministic: one seed, one set.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import open_clip
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from safetensors.torch import save_file
from transformers import (
    BertTokenizer,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    BlipProcessor,
)

from bentos.modelsets import (
    CAPTIONER_FOLDER,
    EMBEDDER_FOLDER,
    EmbedderInfo,
    ModelInfo,
    ModelSet,
    write_description,
)

REVISION: Final = "untrained-1"
SIZES: Final = ("tiny", "base")
_SEED: Final = 20250101
_SPREAD: Final = {"tiny": 0.1, "base": 0.02}
"""Of BLIP's initial weights. BlipConfig's own is 1e-10: outputs would hardly depend on the picture."""
_SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS: Final = (
    "a", "the", "on", "two", "red", "green", "blue", "boat", "house", "tree", "car", "dog", "sun", "sea",
)  # fmt: skip
_BASE_VOCABULARY: Final = 30_522

_TINY_BLIP: Final[dict[str, dict[str, int]]] = {
    "vision": {
        "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": 48, "patch_size": 12,
    },
    "text": {
        "hidden_size": 48, "encoder_hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "projection_dim": 32, "max_position_embeddings": 64,
    },
}  # fmt: skip
_TINY_CLIP: Final[dict[str, Any]] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 64, "head_width": 16, "patch_size": 12},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 4, "layers": 2},
}


def write_set(folder: Path, size: str) -> None:
    """Write a set of untrained weights, `tiny` or `base` in size, into `folder`."""
    torch.manual_seed(_SEED)
    write_blip(folder / CAPTIONER_FOLDER, size)
    dim = write_clip(folder / EMBEDDER_FOLDER, size)
    write_description(
        folder,
        ModelSet(
            name=size if size == "tiny" else f"random-{size}",
            caption=ModelInfo(model=f"{size}-blip", revision=REVISION),
            embedding=EmbedderInfo(model=f"{size}-clip", revision=REVISION, dim=dim),
            notice="These weights are untrained: captions and search results mean nothing.",
        ),
    )


def write_blip(folder: Path, size: str) -> None:
    """An untrained BLIP with its processor, as `save_pretrained` writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [*_SPECIAL, *_WORDS]
    if size == "base":
        words += [f"word{number}" for number in range(len(words), _BASE_VOCABULARY)]
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(words) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer(vocab=str(vocabulary))
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    shape = _TINY_BLIP if size == "tiny" else {"vision": {}, "text": {}}
    config = BlipConfig(
        vision_config={**shape["vision"], "initializer_range": _SPREAD[size]},
        text_config={
            **shape["text"],
            "vocab_size": len(tokenizer),
            "bos_token_id": tokenizer.convert_tokens_to_ids("[DEC]"),
            "eos_token_id": tokenizer.sep_token_id,
            "sep_token_id": tokenizer.sep_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
    )
    model = BlipForConditionalGeneration(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=_SPREAD[size])
    model.save_pretrained(folder)
    vision: Any = config.vision_config
    side = vision.image_size
    processor: Any = BlipProcessor
    processor(BlipImageProcessor(size={"height": side, "width": side}), tokenizer).save_pretrained(folder)


def write_clip(folder: Path, size: str) -> int:
    """An untrained CLIP in open_clip's own format; answers the length of its vectors."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = _TINY_CLIP if size == "tiny" else open_clip.get_model_config("ViT-B-32")
    if shape is None:
        raise ValueError("This open_clip has no ViT-B-32.")
    model = open_clip.CLIP(**shape)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    config = {
        "model_cfg": shape,
        "preprocess_cfg": {"mean": OPENAI_DATASET_MEAN, "std": OPENAI_DATASET_STD},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return int(shape["embed_dim"])


def main() -> None:
    """Write the set that the command line names."""
    parser = argparse.ArgumentParser(description="Write a model set of untrained weights.")
    parser.add_argument("outdir", type=Path, help="DAM_MODELS_DIR; the set becomes a folder in it")
    parser.add_argument("--size", choices=SIZES, default="tiny")
    arguments = parser.parse_args()
    write_set(arguments.outdir / arguments.size, arguments.size)


if __name__ == "__main__":
    main()
