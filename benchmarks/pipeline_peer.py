"""The pipeline against the plain design that it replaces: `python -m benchmarks.pipeline_peer [--quick]`.

Pictures a second from the queue to the row, with the demo models, on the same radosgw and the same RabbitMQ:
all services as processes, with maintenance at work, and one blocking worker (see `plain_worker`). With empty
catalogues, with 10,000 rows and with 100,000; the ratio is that of the last. `--quick`: 1,000 rows alone.
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
from benchmarks.plain_peer import PlainPeer
from benchmarks.upload_clients import File, Pace, as_new
from benchmarks.whole_path import WholePath, sample_pictures
from dam import logs

if TYPE_CHECKING:
    from collections.abc import Sequence

AIM: Final = ">= 10 times the plain worker's pictures a second at 100,000 rows, and >= 3 times when empty"
RUNS: Final = 5
ROWS: Final = (0, 10_000, 100_000)
QUICK_ROWS: Final = (1_000,)


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


async def measure_at(brokers: Brokers, rows: int, *, quick: bool) -> Rates:
    """All runs at one size."""
    settings = brokers.renew()
    if rows:
        await asyncio.to_thread(append_rows, settings, rows)
    pictures, rates = sample_pictures(), Rates()
    many, few = (24, 4) if quick else (192, 24)

    def take(count: int) -> Sequence[File]:
        return [as_new(pictures[number % len(pictures)]) for number in range(count)]

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
            print(f"{rows} rows, run {number + 1} of {RUNS}: {rates.ratios[-1]:.2f}", file=sys.stderr)
    return rates


def measure(brokers: Brokers, sizes: Sequence[int], *, quick: bool = False) -> Comparison:
    """Each size, with services of its own."""
    rates = {}
    for rows in sizes:
        folder = brokers.folder / str(rows)
        folder.mkdir()
        rates[rows] = asyncio.run(measure_at(replace(brokers, folder=folder), rows, quick=quick))
    largest = max(rates)
    return Comparison(
        name="pipeline_peer",
        aim=AIM,
        runs=rates[largest].ratios,
        figures={
            "ratio_of": f"{largest:,} rows",
            "models": "demo",
            "by_rows": {str(size): one.report() for size, one in rates.items()},
        },
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 rows, fewer pictures: under a minute")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="in the catalogue before")
    arguments = parser.parse_args()
    sizes = QUICK_ROWS if arguments.quick else arguments.rows
    logs.configure("ERROR", json=False)
    with tempfile.TemporaryDirectory() as folder, running_brokers(Path(folder)) as brokers:
        measure(brokers, sizes, quick=arguments.quick).print()


if __name__ == "__main__":
    main()
