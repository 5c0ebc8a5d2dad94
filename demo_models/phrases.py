"""Teaches the embedder short queries: `python -m demo_models.phrases FOLDER`, after `training`.

Training knows whole captions alone, but people search with `fox` or `two foxes`. This second stage leaves the
vision tower and the captioner as they are, and teaches the text tower of the set in FOLDER what to find with
part of a caption, while it goes on finding with all of it. It must never see a held-out combination.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import open_clip
import torch
from safetensors.torch import save_file
from torch.nn import functional

from bentos.modelsets import locate, write_description
from dam.drawing.painting import paint
from dam.drawing.scenes import draw_scenes
from demo_models.pictures import DRAWN_HEIGHT
from demo_models.vocabulary import PAD, SEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.drawing.scenes import Group, Scene

SUFFIX: Final = "-phrases"
"""What this stage adds to the embedder's revision."""
_SEED: Final = 2
_LR: Final = 1e-3
_TOGETHER: Final = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """How many pictures are drawn, how many steps see how many of them."""

    pictures: int = 6000
    steps: int = 800
    batch: int = 128


@dataclass(frozen=True, slots=True)
class Query:
    """A text and what it should find: pictures with all of `groups`, on `background` if there is one."""

    text: str
    groups: tuple[tuple[str, int | None], ...]
    background: str | None = None

    def finds(self, scene: Scene) -> bool:
        """Whether the scene is an answer; a count of None is any."""
        shown = {group.noun.singular: group.count for group in scene.groups}
        return all(
            noun in shown and count in {None, shown[noun]} for noun, count in self.groups
        ) and self.background in {None, scene.background.phrase()}


def draw_query(scene: Scene, random: Random) -> Query:
    """A query that someone may use to find this scene."""
    group = random.choice(scene.groups)
    noun = group.noun
    kind = random.randrange(5)
    if kind == 0:
        return Query(noun.singular, ((noun.singular, None),))
    if kind == 1:
        return Query(random.choice((noun.plural, noun.counted(1))), ((noun.singular, None),))
    if kind == 2:  # noqa: PLR2004 - the kinds have no other name
        return Query(group.phrase(), (_exactly(group),))
    if kind == 3:  # noqa: PLR2004 - as above
        background = scene.background.phrase()
        return Query(f"{group.phrase()} {background}", (_exactly(group),), background)
    some = random.sample(scene.groups, min(2, len(scene.groups)))
    return Query(" and ".join(each.phrase() for each in some), tuple(_exactly(each) for each in some))


def _exactly(group: Group) -> tuple[str, int | None]:
    """This many; one is also what a query says of any number."""
    return group.noun.singular, group.count if group.count > 1 else None


def teach(folder: Path, plan: Plan) -> list[float]:
    """Teach the set in `folder` and write it back; answers the losses, one a step."""
    located = locate(folder.name, folder.parent)
    source = f"local-dir:{located.embedder}"
    model, preprocess = open_clip.create_model_from_pretrained(source)
    tokenize = open_clip.get_tokenizer(source)
    scenes = list(islice(draw_scenes(_SEED, held_out=False), plan.pictures))
    images = _embed(model, preprocess, scenes)
    losses = _learn(model, tokenize, scenes, images, plan)
    halved = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(halved, located.embedder / "open_clip_model.safetensors")
    description = located.description
    embedding = description.embedding
    revision = embedding.revision.removesuffix(SUFFIX) + SUFFIX
    write_description(
        folder,
        description.model_copy(update={"embedding": embedding.model_copy(update={"revision": revision})}),
    )
    return losses


@torch.inference_mode()
def _embed(model: Any, preprocess: Any, scenes: Sequence[Scene]) -> torch.Tensor:
    """The pictures' vectors: they stay as they are, so they are made once."""
    vectors = []
    for start in range(0, len(scenes), _TOGETHER):
        some = scenes[start : start + _TOGETHER]
        pixels = torch.stack([preprocess(paint(scene, DRAWN_HEIGHT)) for scene in some])
        vectors.append(model.encode_image(pixels, normalize=True))
    return torch.cat(vectors).clone()


def _learn(
    model: Any, tokenize: Any, scenes: Sequence[Scene], images: torch.Tensor, plan: Plan
) -> list[float]:
    """Every step: the captions of some pictures and one query for each."""
    random = Random(_SEED)  # noqa: S311 - must be repeatable
    parameters = [value for name, value in model.named_parameters() if not name.startswith("visual.")]
    optimiser = torch.optim.AdamW(parameters, lr=_LR, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LR, total_steps=plan.steps)
    scale = model.logit_scale.exp().clamp(max=100).detach()
    losses = []
    for _ in range(plan.steps):
        chosen = random.sample(range(len(scenes)), plan.batch)
        some = [scenes[index] for index in chosen]
        queries = [draw_query(scene, random) for scene in some]
        seen = images[chosen]
        own = torch.eye(len(some))
        found = torch.from_numpy(_answers(queries, some))
        loss = _match(model, tokenize([scene.caption for scene in some]), seen, own, scale) + _match(
            model, tokenize([query.text for query in queries]), seen, found, scale
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call] # torch's own
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def _answers(queries: Sequence[Query], scenes: Sequence[Scene]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One row a query: which scenes it should find."""
    return np.array([[query.finds(scene) for scene in scenes] for query in queries], dtype=np.float32)


def _match(
    model: Any, tokens: torch.Tensor, images: torch.Tensor, wanted: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """Cross entropy of each text's answers among the pictures, all answers alike."""
    logits = scale * functional.normalize(_encode(model, tokens), dim=-1) @ images.T
    return functional.cross_entropy(logits, wanted / wanted.sum(dim=1, keepdim=True))


def _encode(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """What the model's `encode_text` gives, without the padding behind the longest text: far faster."""
    length = int((tokens != PAD).sum(dim=1).max())
    tokens = tokens[:, :length]
    words = model.token_embedding(tokens) + model.positional_embedding[:length]
    words = model.ln_final(model.transformer(words, attn_mask=model.attn_mask[:length, :length]))
    ends = (tokens == SEP).int().argmax(dim=1)
    vectors: torch.Tensor = words[torch.arange(len(words)), ends] @ model.text_projection
    return vectors


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Teach the embedder of a demo set short queries.")
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    losses = teach(arguments.folder, Plan())
    print(f"loss {losses[0]:.3f} at the first step, {losses[-1]:.3f} at the last")  # noqa: T201 - its output


if __name__ == "__main__":
    main()
