"""Writes an untrained CLIP as infinity reads it: `python peer_model.py FOLDER BPE_FILE tiny|base`.

Run by `peer` with the Python of infinity's environment, whose `transformers` is another one than ours: so it
imports nothing of this project. Of the very shape of the set of that size in `bentos/tiny.py`.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any, Final

import torch
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

_MERGES: Final = 49_152 - 256 - 2
_TINY: Final[dict[str, Any]] = {
    "vision_config": {
        "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
        "image_size": 48, "patch_size": 12, "hidden_act": "gelu",
    },
    "text_config": {
        "hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "hidden_act": "gelu",
    },
    "projection_dim": 32,
}  # fmt: skip
_BASE: Final[dict[str, Any]] = {
    "vision_config": {"hidden_act": "gelu"},  # as open_clip's ViT-B-32; the rest is CLIPConfig's default
    "text_config": {"hidden_act": "gelu"},
    "projection_dim": 512,
}


def write(folder: Path, bpe: Path, size: str) -> None:
    """Model and processor into `folder`; the tokenizer's files are made of the merges in `bpe`."""
    torch.manual_seed(20250101)
    config: Any = CLIPConfig(**(_TINY if size == "tiny" else _BASE))
    CLIPModel(config).save_pretrained(folder)
    side: int = config.vision_config.image_size
    write_vocabulary(folder, bpe)
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    images = CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    processor: Any = CLIPProcessor  # it has no types
    processor(images, tokenizer).save_pretrained(folder)


def write_vocabulary(folder: Path, bpe: Path) -> None:
    """CLIP's two files, by the rule that open_clip's tokenizer follows when it reads its one."""
    merges = gzip.decompress(bpe.read_bytes()).decode("utf-8").split("\n")[1 : _MERGES + 1]
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = len(set(range(256)) - set(shown))
    letters = [chr(code) for code in shown] + [chr(256 + number) for number in range(hidden)]
    words = [*letters, *(letter + "</w>" for letter in letters), *("".join(m.split()) for m in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: number for number, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
