"""Both demo models as one thing that learns, and as the two folders that are served.

Called by `training`. BLIP's vision tower is the one that learns; writing the set copies it into the CLIP.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import open_clip
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from transformers import BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

from bentos.modelsets import (
    CAPTIONER_FOLDER,
    EMBEDDER_FOLDER,
    EmbedderInfo,
    ModelInfo,
    ModelSet,
    write_description,
)
from demo_models.pictures import NOTHING
from demo_models.shape import DECODER, DIM, SIDE, VISION, clip_shape
from demo_models.vocabulary import DEC, PAD, SEP, make_tokenizer, pieces

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import BertTokenizer

    from demo_models.pictures import Batch

NOTICE = (
    "These demo models know only the drawn world: one to three emoji objects on a coloured background. "
    "Any other picture gets some caption, and a wrong one. For photographs set DAM_MODEL_SET=base."
)


class Pair(nn.Module):
    """BLIP and CLIP around one vision tower, with a helper that names what each patch shows.

    The helper teaches the tower dozens of times more per picture than a caption's few nouns do. It is not
    part of what is served.
    """

    def __init__(self, tokenizer: BertTokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.blip: Any = BlipForConditionalGeneration(
            BlipConfig(
                vision_config=VISION,
                text_config={
                    **DECODER,
                    "vocab_size": len(tokenizer),
                    "bos_token_id": DEC,
                    "eos_token_id": SEP,
                    "sep_token_id": SEP,
                    "pad_token_id": PAD,
                },
            )
        )
        self.clip: Any = open_clip.CLIP(**clip_shape(len(tokenizer)))
        self.clip.visual.transformer = self.clip.visual.conv1 = None  # BLIP's tower is used instead
        self.patch_names = nn.Linear(VISION["hidden_size"], NOTHING + 1)
        self.mean: torch.Tensor
        self.std: torch.Tensor
        self.register_buffer("mean", torch.tensor(OPENAI_DATASET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(OPENAI_DATASET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        """The three losses of one batch: caption, matching, patches."""
        pixels = torch.from_numpy(batch.pixels).permute(0, 3, 1, 2).float() / 255
        seen = self.blip.vision_model(pixel_values=(pixels - self.mean) / self.std).last_hidden_state
        texts = self.tokenizer(batch.captions, padding=True, return_tensors="pt")
        return {
            "caption": self._caption_loss(seen, texts.input_ids, texts.attention_mask),
            "matching": self._matching_loss(seen, texts.input_ids),
            "patches": self._patch_loss(seen, torch.from_numpy(batch.patches)),
        }

    def _caption_loss(self, seen: torch.Tensor, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Cross entropy of each next word."""
        tokens = tokens.clone()
        tokens[:, 0] = DEC
        loss: torch.Tensor = self.blip.text_decoder(
            input_ids=tokens,
            attention_mask=mask,
            encoder_hidden_states=seen,
            labels=tokens.masked_fill(mask == 0, -100),
        ).loss
        return loss

    def _matching_loss(self, seen: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """CLIP's: each picture's own caption among the batch's, and the reverse."""
        clip = self.clip
        images = functional.normalize(seen[:, 1:].mean(dim=1) @ clip.visual.proj, dim=-1)
        length = tokens.shape[1]
        words = clip.token_embedding(tokens) + clip.positional_embedding[:length]
        words = clip.ln_final(clip.transformer(words, attn_mask=clip.attn_mask[:length, :length]))
        ends = (tokens == SEP).int().argmax(dim=-1)
        texts = words[torch.arange(len(words)), ends] @ clip.text_projection
        logits = clip.logit_scale.exp().clamp(max=100) * images @ functional.normalize(texts, dim=-1).T
        own = torch.arange(len(logits))
        return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2

    def _patch_loss(self, seen: torch.Tensor, patches: torch.Tensor) -> torch.Tensor:
        """Cross entropy of the noun in each patch; empty patches weigh little."""
        weight = torch.ones(NOTHING + 1)
        weight[NOTHING] = 0.1
        logits = self.patch_names(seen[:, 1:]).flatten(0, 1)
        return functional.cross_entropy(logits.float(), patches.flatten(), weight=weight)


def make_pair(folder: Path) -> Pair:
    """An untrained pair; its vocabulary file goes into `folder`."""
    tokenizer = make_tokenizer(folder)
    if len(tokenizer) != len(pieces()):
        raise ValueError(f"The tokenizer has {len(tokenizer)} pieces, the drawn world {len(pieces())}.")
    return Pair(tokenizer)


def write_set(pair: Pair, folder: Path, revision: str) -> None:
    """Both models in half precision, in their libraries' own formats, with the set's description."""
    _write_blip(pair, folder / CAPTIONER_FOLDER)
    _write_clip(pair, folder / EMBEDDER_FOLDER)
    write_description(
        folder,
        ModelSet(
            name="demo",
            caption=ModelInfo(model="dam-demo-blip", revision=revision),
            embedding=EmbedderInfo(model="dam-demo-clip", revision=revision, dim=DIM),
            notice=NOTICE,
        ),
    )


def _write_blip(pair: Pair, folder: Path) -> None:
    """As `save_pretrained` writes it, but for the weights' precision."""
    folder.mkdir(parents=True, exist_ok=True)
    pair.blip.save_pretrained(folder)  # float32 in its config: what a load converts the weights to
    weights = folder / "model.safetensors"
    halved = {name: tensor.half().contiguous() for name, tensor in _untied(pair.blip).items()}
    save_file(halved, weights, metadata={"format": "pt"})
    processor: Any = BlipProcessor  # its construction is untyped
    processor(BlipImageProcessor(size={"height": SIDE, "width": SIDE}), pair.tokenizer).save_pretrained(
        folder
    )


def _untied(model: Any) -> dict[str, torch.Tensor]:
    """The state without the second names of tied weights."""
    tied = set(model.all_tied_weights_keys)
    return {name: tensor for name, tensor in model.state_dict().items() if name not in tied}


def _write_clip(pair: Pair, folder: Path) -> None:
    """As open_clip's `local-dir:` reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = clip_shape(len(pair.tokenizer))
    clip = open_clip.CLIP(**shape)
    state = {name: tensor for name, tensor in pair.clip.state_dict().items() if name in clip.state_dict()}
    state |= {f"visual.{name}": tensor for name, tensor in _as_open_clip(pair.blip.vision_model).items()}
    clip.load_state_dict(state)
    halved = {name: tensor.half().contiguous() for name, tensor in clip.state_dict().items()}
    save_file(halved, folder / "open_clip_model.safetensors")
    preprocess = {
        "mean": OPENAI_DATASET_MEAN,
        "std": OPENAI_DATASET_STD,
        "interpolation": "bicubic",
        "resize_mode": "squash",
    }
    config = {"model_cfg": shape, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    pair.tokenizer.save_pretrained(folder)


def _as_open_clip(tower: Any) -> dict[str, torch.Tensor]:
    """BLIP's vision tower under open_clip's names; its patch bias becomes part of the positions."""
    blip = tower.state_dict()
    positions = blip["embeddings.position_embedding"][0].clone()
    positions[1:] += blip["embeddings.patch_embedding.bias"]
    state = {
        "class_embedding": blip["embeddings.class_embedding"].flatten(),
        "positional_embedding": positions,
        "conv1.weight": blip["embeddings.patch_embedding.weight"],
    }
    names = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "self_attn.qkv": "attn.in_proj",
        "self_attn.projection": "attn.out_proj",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
    }
    for layer in range(tower.config.num_hidden_layers):
        for ours, theirs in names.items():
            for kind in ("weight", "bias"):
                joint = "_" if theirs == "attn.in_proj" else "."
                state[f"transformer.resblocks.{layer}.{theirs}{joint}{kind}"] = blip[
                    f"encoder.layers.{layer}.{ours}.{kind}"
                ]
    state |= {f"ln_post.{kind}": blip[f"post_layernorm.{kind}"] for kind in ("weight", "bias")}
    return state
