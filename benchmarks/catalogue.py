"""What one committed row costs in a large catalogue: `python -m benchmarks.catalogue [--quick] [--radosgw]`.

At 1,000,000 rows against 1,000: seconds, bytes written, requests counted at the store. A row's cost is its
share of a commit of 32 rows, of the checkpoint and the compaction that come with every 64 commits, and of the
snapshot that is published at a growth of 10 %. A run measures both tables, in turns; its ratio is that of the
measure which fares worst. `--quick`: 5,000 rows. On a folder, or on radosgw.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack, ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.catalogue_places import Places, Plan
from benchmarks.catalogue_table import BATCH, NOTHING, Cost, Table
from benchmarks.pairing import Comparison
from dam import logs
from tests.services.radosgw import Radosgw

if TYPE_CHECKING:
    from collections.abc import Sequence

AIM: Final = "<= 1.3 of the cost at 1,000 rows"
RUNS: Final = 5
SMALL: Final = 1_000
LARGE: Final = 1_000_000
GROWTH: Final = 0.1
MEASURES: Final = Cost._fields


FULL: Final = Plan(LARGE, 64, 4, 3)  # the commits as maintenance has them
QUICK: Final = Plan(5_000, 16, 1, 1)


class Shares(NamedTuple):
    """What each step adds to the cost of one row."""

    commit: Cost
    tidying: Cost
    snapshot: Cost

    @property
    def total(self) -> Cost:
        """Of one row."""
        return self.commit.plus(self.tidying).plus(self.snapshot)


async def cost_when_small(places: Places) -> Shares:
    """Of a fresh table of 1,000 rows, with a snapshot after 10 % more.

    The commits go on until there is something to compact, as with the large one: what a commit costs depends
    on how many there were since the last compaction.
    """
    async with Table.opened(*places.make()) as table:
        await table.fill(SMALL)
        await table.publish()
        batches = round(GROWTH * SMALL / BATCH)
        commit = await table.commit(batches)
        snapshot = await table.publish()
        commit = commit.plus(await table.commit(places.plan.commits - batches))
        tidying = await table.tidy()
    committed = places.plan.commits * BATCH
    return Shares(commit.of_each(committed), tidying.of_each(committed), snapshot.of_each(batches * BATCH))


async def cost_when_large(table: Table, rows: int, plan: Plan) -> Shares:
    """Of the next 10 % of a table that had `rows`; those beyond the measured commits come at once."""
    committed = plan.compactions * plan.commits * BATCH
    commit = tidying = NOTHING
    for _ in range(plan.compactions):
        commit = commit.plus(await table.commit(plan.commits))
        tidying = tidying.plus(await table.tidy())
    grown = max(committed, round(GROWTH * rows))
    await table.fill(grown - committed)
    snapshot = (await table.publish()).of_each(grown)
    return Shares(commit.of_each(committed), tidying.of_each(committed), snapshot)


def mean(costs: Sequence[Shares]) -> Shares:
    """Step by step."""
    return Shares(*(_mean(steps) for steps in zip(*costs, strict=True)))


def _mean(costs: Sequence[Cost]) -> Cost:
    total = NOTHING
    for cost in costs:
        total = total.plus(cost)
    return total.of_each(len(costs))


async def measure(places: Places) -> tuple[list[Shares], list[Shares]]:
    """The small table's costs and the large one's, one a run."""
    plan = places.plan
    small, large, held = [], [], plan.rows
    async with AsyncExitStack() as stack:
        table = await stack.enter_async_context(Table.opened(*places.make()))
        await table.fill(held)
        await table.publish()
        for number in range(RUNS):
            for is_small in (number % 2 == 0, number % 2 != 0):
                if is_small:
                    small.append(mean([await cost_when_small(places) for _ in range(plan.small_tables)]))
                else:
                    large.append(await cost_when_large(table, held, plan))
                    held = round(held * (1 + GROWTH))
            print(f"run {number + 1} of {RUNS}: {small[-1].total} {large[-1].total}", file=sys.stderr)
    return small, large


def compare(small: Sequence[Shares], large: Sequence[Shares], rows: int, store: str) -> Comparison:
    """What is printed."""
    ratios = {
        measure: [
            getattr(ours.total, measure) / getattr(theirs.total, measure)
            for ours, theirs in zip(large, small, strict=True)
        ]
        for measure in MEASURES
    }
    medians = {measure: statistics.median(runs) for measure, runs in ratios.items()}
    worst = max(medians, key=lambda measure: medians[measure])
    return Comparison(
        name="catalogue",
        aim=AIM,
        runs=ratios[worst],
        figures={
            "rows": {"large": rows, "small": SMALL},
            "store": store,
            "ratio_of": worst,
            "ratio_by_measure": {name: round(median, 3) for name, median in medians.items()},
            "a_row_of_the_large": report(large),
            "a_row_of_the_small": report(small),
        },
    )


def report(runs: Sequence[Shares]) -> dict[str, dict[str, Any]]:
    """Means of all runs: ms, bytes and requests of one row, by step."""
    shares = mean(runs)
    return {
        name: {
            "ms": round(cost.seconds * 1000, 3),
            "bytes_written": round(cost.bytes_written),
            "requests": round(cost.requests, 4),
        }
        for name, cost in {**shares._asdict(), "total": shares.total}.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK.rows:,} rows: under a minute")
    parser.add_argument("--radosgw", action="store_true", help="on an S3 server instead of a folder")
    arguments = parser.parse_args()
    logs.configure("ERROR", json=False)
    plan = QUICK if arguments.quick else FULL
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        radosgw = stack.enter_context(Radosgw()) if arguments.radosgw else None
        small, large = asyncio.run(measure(Places(folder, radosgw, plan, count())))
    compare(small, large, plan.rows, "radosgw" if radosgw else "a folder").print()


if __name__ == "__main__":
    main()
