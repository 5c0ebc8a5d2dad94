"""The whole path against its models alone: `python -m benchmarks.pipeline [--quick]`.

Pictures a second from the upload to the row, on radosgw and RabbitMQ with all services as processes; and, in
turns, captions and embeddings of the same pictures in this process: in batches, from memory, without any I/O.
Untrained models of the size of BLIP base and ViT-B/32 make the ratio; the demo models, so small that all else
weighs more, are told beside it. `--quick`: the demo models alone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bare_model import BareModel
from benchmarks.brokers import Brokers, running_brokers
from benchmarks.pairing import Comparison
from benchmarks.path_models import NAMES, choose_models
from benchmarks.upload_clients import Pace, as_new
from benchmarks.whole_path import WholePath
from dam import logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.path_models import Models

AIM: Final = ">= 0.85 of the pictures a second that the models alone caption and embed"
RUNS: Final = 5
PICTURES: Final = 24
DEMO_PICTURES: Final = 192
QUICK_PICTURES: Final = 24
BATCHES: Final = (8, 16)
"""What the models are tried with: the service's largest is 16 of both."""


@dataclass
class Rates:
    """Of both, with one set of models, one a run."""

    batch: int = 0
    path: list[Pace] = field(default_factory=list)
    bare: list[Pace] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """The path's over the models'."""
        return [
            ours.per_second / theirs.per_second for ours, theirs in zip(self.path, self.bare, strict=True)
        ]

    def report(self) -> dict[str, Any]:
        """Medians."""
        return {
            "ratio": round(statistics.median(self.ratios), 3),
            "runs": [round(ratio, 3) for ratio in self.ratios],
            "path_per_s": round(statistics.median(pace.per_second for pace in self.path), 3),
            "bare_per_s": round(statistics.median(pace.per_second for pace in self.bare), 3),
            "path_cpu_ms": round(statistics.median(pace.cpu_ms for pace in self.path), 1),
            "bare_cpu_ms": round(statistics.median(pace.cpu_ms for pace in self.bare), 1),
            "bare_batch": self.batch,
        }


def work_alone(model: BareModel, pictures: Sequence[bytes], batch: int) -> Pace:
    """Caption and embed them all."""
    started, spent = time.perf_counter(), time.process_time()
    for at in range(0, len(pictures), batch):
        model.caption(pictures[at : at + batch])
        model.embed(pictures[at : at + batch])
    return Pace(len(pictures), time.perf_counter() - started, time.process_time() - spent)


def find_batch(model: BareModel, pictures: Sequence[bytes]) -> int:
    """The size of a batch that is worked off fastest."""
    work_alone(model, pictures[:4], 4)
    paces = {batch: work_alone(model, pictures[: max(BATCHES)], batch) for batch in BATCHES}
    return max(paces, key=lambda batch: paces[batch].per_second)


async def measure_with(brokers: Brokers, models: Models, count: int) -> Rates:
    """All runs with one set of models."""
    settings = brokers.renew()
    models.select()
    turn = models.take(count)
    model = BareModel(models.models_dir, models.name)
    rates = Rates()
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(WholePath.running(settings, rows=0))
        trial = [turn[number % len(turn)] for number in range(max(BATCHES))]
        rates.batch = await asyncio.to_thread(find_batch, model, trial)
        await path.upload([as_new(picture) for picture in turn[:8]])
        for number in range(RUNS):
            for is_ours in (number % 2 == 0, number % 2 != 0):
                if is_ours:
                    rates.path.append(await path.upload([as_new(picture) for picture in turn]))
                else:
                    await path.rest()
                    rates.bare.append(await asyncio.to_thread(work_alone, model, turn, rates.batch))
            print(f"{models.name}, run {number + 1} of {RUNS}: {rates.ratios[-1]:.3f}", file=sys.stderr)
    return rates


def measure(
    brokers: Brokers, names: Sequence[str], *, quick: bool = False, count: int = PICTURES
) -> Comparison:
    """Each of these sets of models, with services of its own."""
    rates = {}
    counts = {"base": count, "demo": QUICK_PICTURES if quick else DEMO_PICTURES}
    for models in choose_models(brokers.folder, names):
        folder = brokers.folder / f"data-{models.name}"
        folder.mkdir()
        rates[models.name] = asyncio.run(
            measure_with(replace(brokers, folder=folder), models, counts[models.name])
        )
    first = next(iter(rates))
    return Comparison(
        name="pipeline",
        aim=AIM,
        runs=rates[first].ratios,
        figures={
            "ratio_of": "the demo models" if first == "demo" else "untrained models of the size of base",
            "by_models": {name: one.report() for name, one in rates.items()},
        },
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the demo models alone: under a minute")
    parser.add_argument("--models", choices=NAMES, nargs="+", default=list(NAMES), help="which of both")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="of a turn with the large models")
    arguments = parser.parse_args()
    names = ["demo"] if arguments.quick else sorted(set(arguments.models))
    if "OMP_WAIT_POLICY" not in os.environ:  # OpenMP reads it when torch is loaded, which is before here
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # as the service has it: both compared alike
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.pipeline", *sys.argv[1:]])  # noqa: S606
    logs.configure("ERROR", json=False)
    with tempfile.TemporaryDirectory() as folder, running_brokers(Path(folder)) as brokers:
        measure(brokers, names, quick=arguments.quick, count=arguments.pictures).print()


if __name__ == "__main__":
    main()
