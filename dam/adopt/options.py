"""What a person, or a test, may choose about one adoption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dam import keys
from dam.errors import SettingsError

DIM: Final = 512
"""Of CLIP ViT-B/32, whose vectors the original project stored."""


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """Where the originals are, and which model made the vectors.

    `vectors_by` is `model@revision`, exactly as the Bento's `GET /models` has it; None where that is not
    known: then every asset is embedded anew, since vectors of two models have nothing to say to each other.
    `dim` is how many numbers a vector must have. `quick` reads no original in a dry run.
    """

    prefix: str = keys.ASSETS
    vectors_by: str | None = None
    dim: int = DIM
    quick: bool = False
    parallel: int = 4

    def __post_init__(self) -> None:
        """Raise `SettingsError` for what cannot be meant."""
        if not keys.may_hold_originals(self.prefix):
            raise SettingsError(
                f"--prefix {self.prefix!r} cannot be where the originals are: give a path with its last "
                "slash, for example images/, that is none of this pipeline's own but assets/."
            )
        if self.vectors_by is not None and not all(self.vectors_by.partition("@")):
            raise SettingsError(
                f"--vectors-by {self.vectors_by!r} names no model: give model@revision, as `GET /models` of "
                "the Bento does for its embedder."
            )
