"""Which models the whole path runs with in `pipeline` and `pipeline_peer`, and pictures to run them on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.bento_load import photograph
from benchmarks.whole_path import sample_pictures
from bentos.modelsets import DEMO_FOLDER
from bentos.tiny import write_set

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES: Final = ("base", "demo")
_PHOTOGRAPHS: Final = 16


@dataclass(frozen=True, slots=True)
class Models:
    """A set of them in a folder, and pictures for it."""

    name: str
    models_dir: Path
    pictures: Sequence[bytes]

    def select(self) -> None:
        """Have every process that is started from now on use them."""
        os.environ.update(DAM_MODEL_SET=self.name, DAM_MODELS_DIR=str(self.models_dir))

    def take(self, count: int) -> list[bytes]:
        """So many pictures, the same again where there are fewer."""
        return [self.pictures[number % len(self.pictures)] for number in range(count)]


def choose_models(folder: Path, names: Sequence[str]) -> list[Models]:
    """These, in this order: untrained ones of base size are written to the folder first."""
    chosen = []
    for name in names:
        if name == "demo":
            (folder / name).symlink_to(DEMO_FOLDER)
            chosen.append(Models(name, folder, sample_pictures()))
        else:
            write_set(folder / name, name)
            chosen.append(Models(name, folder, [photograph(seed) for seed in range(_PHOTOGRAPHS)]))
    return chosen
