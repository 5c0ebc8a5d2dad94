"""Which pictures a demo uploads, and their true captions where these are known. Called by `dam demo`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLES: Final = Path(__file__).parents[2] / "samples"
TRUTH_FILE: Final = "captions.json"
"""Beside the pictures: `{"file name": "caption"}`, where the true captions are known."""


def read_truth(folder: Path) -> dict[str, str] | None:
    """The true captions beside the pictures, where there are any."""
    path = folder / TRUTH_FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def choose_samples(count: int | None, drawn: Path) -> tuple[Sequence[Path], dict[str, str]]:
    """The first `count` sample pictures (all where None), and their captions.

    Those beyond the committed ones are drawn into the folder `drawn`.

    Raises:
        FontMissingError: there are fewer samples, and the font to draw more is not installed.
    """
    truth = read_truth(SAMPLES) or {}
    paths = [SAMPLES / name for name in truth][:count]
    if count is not None and count > len(paths):
        from dam.drawing.files import draw_more  # noqa: PLC0415 - a demo of the samples draws nothing

        more = draw_more(drawn, len(paths) + 1, count - len(paths))
        paths += [drawn / name for name in more]
        truth |= more
    return paths, truth
