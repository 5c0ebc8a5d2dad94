"""Scores a model set on held-out pictures: `python -m demo_models.scoring FOLDER`.

Uses the very classes that serve the set, on 640 x 480 JPEG pictures. `benchmarks.demo_quality` measures the
same through the running Bento, with the same reckoning.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import CAPTIONER_FOLDER, EMBEDDER_FOLDER
from dam.drawing.painting import paint
from dam.drawing.scenes import distinct_held_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.drawing.scenes import Scene

SEED: Final = 500
PICTURES: Final = 500
_AT: Final = (1, 5)
_TOGETHER: Final = 20


def encode_jpeg(scene: Scene) -> bytes:
    """The picture as a client would send it."""
    file = io.BytesIO()
    paint(scene).save(file, "JPEG", quality=90)
    return file.getvalue()


def reckon(
    scenes: Sequence[Scene],
    captions: Sequence[str],
    image_vectors: Sequence[Sequence[float]],
    text_vectors: Sequence[Sequence[float]],
) -> dict[str, Any]:
    """Shares of exact captions and of texts that find their own picture, in all and by number of objects.

    Args:
        scenes: what each picture shows; its caption is the truth and the text that was embedded.
        captions: what the captioner said of each.
        image_vectors: one unit vector a picture.
        text_vectors: one unit vector a true caption.
    """
    likeness = np.asarray(text_vectors) @ np.asarray(image_vectors).T
    ranks = (likeness > np.diag(likeness)[:, None]).sum(axis=1)
    groups: dict[str, list[int]] = defaultdict(list)
    for index, scene in enumerate(scenes):
        groups["all"].append(index)
        groups[f"{len(scene.placed)} object" + "s" * (len(scene.placed) > 1)].append(index)

    def shares(members: list[int]) -> dict[str, float]:
        exact = [captions[index] == scenes[index].caption for index in members]
        found = {f"recall_at_{at}": float(np.mean(ranks[members] < at)) for at in _AT}
        return {"pictures": len(members), "caption_exact_match": float(np.mean(exact)), **found}

    by_objects = {name: shares(members) for name, members in sorted(groups.items()) if name != "all"}
    return {**shares(groups["all"]), "by_objects": by_objects}


def score(folder: Path, count: int = PICTURES, seed: int = SEED) -> dict[str, Any]:
    """Score the set in `folder` on `count` held-out pictures with different captions."""
    captioner, embedder = Captioner(folder / CAPTIONER_FOLDER), Embedder(folder / EMBEDDER_FOLDER)
    scenes = distinct_held_out(seed, count)
    captions: list[str] = []
    images: list[list[float]] = []
    texts: list[list[float]] = []
    for start in range(0, count, _TOGETHER):
        some = scenes[start : start + _TOGETHER]
        pictures = [Image.open(io.BytesIO(encode_jpeg(scene))).convert("RGB") for scene in some]
        captions += captioner.caption([captioner.prepare(picture) for picture in pictures])
        images += embedder.embed_images([embedder.prepare_image(picture) for picture in pictures])
        texts += embedder.embed_texts([embedder.prepare_text(scene.caption) for scene in some])
    return reckon(scenes, captions, images, texts)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Score a model set on held-out pictures.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=PICTURES)
    arguments = parser.parse_args()
    print(json.dumps(score(arguments.folder, arguments.count)))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
