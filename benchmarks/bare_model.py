"""The models without a service: what one thread does with decoding and inference, and nothing else.

Used as the measure of what the service adds. It runs in the benchmark's own process, while the
service is quiet.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Self

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Cost(NamedTuple):
    """Seconds on the clock, and seconds of processor: the second holds on a machine that others use too."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Of this process, up to here."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, before: Cost) -> Cost:
        """What was spent in between."""
        return Cost(self.wall - before.wall, self.cpu - before.cpu)


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

    def time_caption(self, picture: bytes) -> Cost:
        """One picture, decoded and captioned alone."""
        before = Cost.now()
        self.caption([picture])
        return Cost.now().since(before)

    def time_embed(self, picture: bytes) -> Cost:
        """One picture, decoded and embedded alone."""
        before = Cost.now()
        self.embed([picture])
        return Cost.now().since(before)

    def embed_for(self, seconds: float, pictures: Sequence[bytes], batch: int) -> tuple[int, Cost]:
        """Pictures in batches of that size, for at least that long: how many, and their cost."""
        done, before = 0, Cost.now()
        while Cost.now().since(before).wall < seconds:
            self.embed([pictures[(done + offset) % len(pictures)] for offset in range(batch)])
            done += batch
        return done, Cost.now().since(before)


def run_through(work: Callable[[Sequence[bytes]], object], pictures: Sequence[bytes], batch: int) -> Cost:
    """What all of these pictures cost in batches of that size."""
    before = Cost.now()
    for first in range(0, len(pictures), batch):
        work(pictures[first : first + batch])
    return Cost.now().since(before)


def rate_by_batch(
    work: Callable[[Sequence[bytes]], object], pictures: Sequence[bytes], batches: Sequence[int]
) -> dict[int, float]:
    """Pictures a second for each size of batch; every size sees as many pictures, after one to warm up."""
    work(pictures[:1])
    return {batch: round(len(pictures) / run_through(work, pictures, batch).wall, 3) for batch in batches}
