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
        folder: made if missing; gets `drawn-001.png`, … and `captions.json`.
        count: how many; the formats JPEG, PNG and WebP take turns.
        seed: other seeds give other pictures.

    Returns:
        File name to caption.

    Raises:
        FontMissingError: the emoji font is not installed.
    """
    captions = _write_pictures(folder, enumerate(distinct_held_out(seed, count), start=1), keep=False)
    (folder / CAPTIONS).write_text(json.dumps(captions, indent=1) + "\n")
    return captions


def draw_more(folder: Path, first: int, count: int) -> dict[str, str]:
    """Draw the pictures number `first` to `first + count - 1` of those whose first ones are the samples.

    The same number is always the same picture, with a caption that no other number has. What the folder
    holds already is kept.

    Args:
        folder: made if missing; gets `drawn-061.webp`, …
        first: number of the first one; `SAMPLES + 1` is the first beyond the samples.
        count: how many.

    Returns:
        File name to caption, in the order of their numbers.

    Raises:
        FontMissingError: the emoji font is not installed.
    """
    scenes = distinct_held_out(SAMPLES_SEED, first + count - 1)[first - 1 :]
    return _write_pictures(folder, enumerate(scenes, start=first), keep=True)


def _write_pictures(folder: Path, numbered: Iterable[tuple[int, Scene]], *, keep: bool) -> dict[str, str]:
    """Paint these scenes into a folder, or those alone that are not there; returns file name to caption."""
    folder.mkdir(parents=True, exist_ok=True)
    captions = {}
    for number, scene in numbered:
        name = f"drawn-{number:03}.{_FORMATS[number % len(_FORMATS)]}"
        captions[name] = scene.caption
        if not (keep and (folder / name).exists()):
            unfinished = folder / f".{name}"  # the suffix tells the format
            # `optimize` and `quality` are ignored by the formats that lack them.
            paint(scene).save(unfinished, quality=90, optimize=True)
            unfinished.replace(folder / name)
    return captions


if __name__ == "__main__":
    draw_files(Path(sys.argv[1]), SAMPLES)
