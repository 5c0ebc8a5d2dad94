"""The pipeline against the plain design that it replaces: `python -m benchmarks.pipeline_peer [--quick]`.

Pictures a second from the queue to the row, on the same radosgw and the same RabbitMQ: all services as
processes, with maintenance at work, and one blocking worker (see `plain_worker`). With empty catalogues, with
10,000 rows and with 100,000; with the demo models, and with untrained ones of the size of BLIP base and
ViT-B/32. The ratio is that of the demo models at the most rows. `--quick`: these at 1,000 rows alone.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.brokers import Brokers, running_brokers
from benchmarks.catalogue_table import append_rows
from benchmarks.pairing import Comparison
from benchmarks.path_models import NAMES, choose_models
from benchmarks.plain_peer import PlainPeer
from benchmarks.upload_clients import File, Pace, as_new
from benchmarks.whole_path import WholePath
from dam import logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.path_models import Models

AIM: Final = (
    ">= 10 times the plain worker's pictures a second at 100,000 rows, and >= 3 times when empty; "
    "with models of base size >= 1.5 times"
)
RUNS: Final = 5
ROWS: Final = (0, 10_000, 100_000)
QUICK_ROWS: Final = (1_000,)
PICTURES: Final = {"demo": (192, 24), "base": (32, 6)}
"""Of a turn, ours and the plain worker's. Ours are more, since it works on many at once."""
QUICK_PICTURES: Final = (24, 4)


@dataclass
class Rates:
    """Of both, at one size, one a run."""

    pipeline: list[Pace] = field(default_factory=list)
    plain: list[Pace] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """The pipeline's over the plain worker's."""
        return [
            ours.per_second / theirs.per_second
            for ours, theirs in zip(self.pipeline, self.plain, strict=True)
        ]

    def report(self) -> dict[str, Any]:
        """Medians."""
        return {
            "ratio": round(statistics.median(self.ratios), 2),
            "runs": [round(ratio, 2) for ratio in self.ratios],
            "pipeline_per_s": round(statistics.median(pace.per_second for pace in self.pipeline), 2),
            "pipeline_cpu_ms": round(statistics.median(pace.cpu_ms for pace in self.pipeline), 1),
            "plain_cpu_ms": round(statistics.median(pace.cpu_ms for pace in self.plain), 1),
            "plain_per_s": round(statistics.median(pace.per_second for pace in self.plain), 2),
        }


async def measure_at(brokers: Brokers, models: Models, rows: int, *, quick: bool) -> Rates:
    """All runs at one size."""
    settings = brokers.renew()
    models.select()
    if rows:
        await asyncio.to_thread(append_rows, settings, rows)
    rates = Rates()
    many, few = QUICK_PICTURES if quick else PICTURES[models.name]

    def take(count: int) -> list[File]:
        return [as_new(picture) for picture in models.take(count)]

    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(WholePath.running(settings, rows))
        peer = await stack.enter_async_context(PlainPeer.running(brokers.radosgw, rows))
        await path.work_off(take(few))
        await peer.work_off(take(2))
        for number in range(RUNS):
            for is_ours in (number % 2 == 0, number % 2 != 0):
                if is_ours:
                    rates.pipeline.append(await path.work_off(take(many)))
                else:
                    await path.rest()
                    rates.plain.append(await peer.work_off(take(few)))
            tell = f"{models.name}, {rows} rows, run {number + 1} of {RUNS}: {rates.ratios[-1]:.2f}"
            print(tell, file=sys.stderr)
    return rates


def measure(
    brokers: Brokers, sizes: Sequence[int], names: Sequence[str], *, quick: bool = False
) -> Comparison:
    """Each set of models at each size, with services of its own."""
    rates: dict[str, dict[int, Rates]] = {}
    for models in choose_models(brokers.folder, names):
        for rows in sizes:
            folder = brokers.folder / f"data-{models.name}-{rows}"
            folder.mkdir()
            own = replace(brokers, folder=folder)
            rates.setdefault(models.name, {})[rows] = asyncio.run(measure_at(own, models, rows, quick=quick))
    first = next(iter(rates))
    return Comparison(
        name="pipeline_peer",
        aim=AIM,
        runs=rates[first][max(sizes)].ratios,
        figures={
            "ratio_of": f"{first} models at {max(sizes):,} rows",
            "by_models": {
                name: {str(rows): one.report() for rows, one in by_rows.items()}
                for name, by_rows in rates.items()
            },
        },
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 rows, fewer pictures: under a minute")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="in the catalogue before")
    parser.add_argument("--models", choices=NAMES, nargs="+", default=["demo", "base"], help="which of both")
    arguments = parser.parse_args()
    sizes = QUICK_ROWS if arguments.quick else arguments.rows
    names = ["demo"] if arguments.quick else arguments.models
    logs.configure("ERROR", json=False)
    with tempfile.TemporaryDirectory() as folder, running_brokers(Path(folder)) as brokers:
        measure(brokers, sizes, names, quick=arguments.quick).print()


if __name__ == "__main__":
    main()
