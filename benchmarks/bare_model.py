"""The models without a service: what one thread does with decoding and inference, and nothing else.

Used by `batching` as the measure of what the service adds. It runs in the benchmark's own process, while the
service is quiet.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class BareModel:
    """The very classes that the service loads, called directly."""

    def __init__(self, models_dir: Path, name: str) -> None:
        located = locate(name, models_dir)
        self._captioner = Captioner(located.captioner)
        self._embedder = Embedder(located.embedder)

    def embed(self, pictures: Sequence[bytes]) -> list[list[float]]:
        """Vectors of encoded pictures, in one batch."""
        return self._embedder.embed_images(
            [self._embedder.prepare_image(decode(picture)) for picture in pictures]
        )

    def caption(self, pictures: Sequence[bytes]) -> list[str]:
        """Captions of encoded pictures, in one batch."""
        return self._captioner.caption([self._captioner.prepare(decode(picture)) for picture in pictures])

    def time_embed(self, picture: bytes) -> float:
        """Seconds of one picture, decoded and embedded alone."""
        started = time.perf_counter()
        self.embed([picture])
        return time.perf_counter() - started

    def embeddings_per_second(self, pictures: Sequence[bytes], batch: int, seconds: float) -> float:
        """Pictures a second in batches of that size, for at least that long."""
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            self.embed([pictures[(done + offset) % len(pictures)] for offset in range(batch)])
            done += batch
        return done / (time.perf_counter() - started)
