"""Held-out scenes as picture files with their captions in `captions.json`.

Made `samples/` (`python -m dam.drawing.files samples`), and draws what `dam demo --count` wants beyond them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dam.drawing.painting import paint
from dam.drawing.scenes import distinct_held_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dam.drawing.scenes import Scene

SAMPLES_SEED: Final = 60
SAMPLES: Final = 60
CAPTIONS: Final = "captions.json"
_FORMATS: Final = ("jpg", "png", "webp", "jpg", "webp")


def draw_files(folder: Path, count: int, seed: int = SAMPLES_SEED) -> dict[str, str]:
    """Draw `count` held-out pictures with different captions into a folder.

    The first ones are the same for every count, so that more pictures extend the committed samples.

    Args:
        folder: made if missing; gets `drawn-001.jpg`, … and `captions.json`.
        count: how many; the formats JPEG, PNG and WebP take turns.
        seed: other seeds give other pictures.

    Returns:
        File name to caption.

    Raises:
        FontMissingError: the emoji font is not installed.
    """
    return write_files(folder, distinct_held_out(seed, count))


def write_files(folder: Path, scenes: Iterable[Scene]) -> dict[str, str]:
    """Paint these scenes into a folder; returns file name to caption, as `captions.json` holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = {}
    for number, scene in enumerate(scenes, start=1):
        name = f"drawn-{number:03}.{_FORMATS[number % len(_FORMATS)]}"
        # `optimize` and `quality` are ignored by the formats that lack them.
        paint(scene).save(folder / name, quality=90, optimize=True)
        captions[name] = scene.caption
    (folder / CAPTIONS).write_text(json.dumps(captions, indent=1) + "\n")
    return captions


if __name__ == "__main__":
    draw_files(Path(sys.argv[1]), SAMPLES)
