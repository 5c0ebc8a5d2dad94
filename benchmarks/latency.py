"""What a lone `/embed` and a lone `/caption` take, beside the bare model: `python -m benchmarks.latency`.

One client on a quiet service, and the same picture straight into the model, in turns; decoding included on
both sides. p50 and p95 of each run are compared, so there are four ratios; the worst is the benchmark's. The
last line is JSON. `--quick`: tiny models.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final

from benchmarks.bare_model import BareModel
from benchmarks.batching import serving
from benchmarks.bento_load import Call, Load
from benchmarks.bento_phases import say
from benchmarks.pairing import Comparison
from benchmarks.turns import PAIRS, Pair, photographs, repeat, run
from bentos.tiny import write_set
from dam import routes

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    from benchmarks.bare_model import Cost
    from benchmarks.batching import Plan

NAME: Final = "latency"
AIM: Final = "<= 1.15 of the bare model's time"
PARTS: Final = {"p50": 50, "p95": 95}


async def measure(plan: Plan, _: Namespace) -> Comparison:
    """Five runs for each route."""
    say(f"writing untrained models of size {plan.size}")
    write_set(plan.folder / plan.size, plan.size)
    bare = BareModel(plan.folder, plan.size)
    embeds, captions = (10, 5) if plan.quick else (40, 8)
    async with serving(plan) as (url, pid), Load(url, pid) as load:
        compared = [
            *await compare(load, routes.EMBED, bare.time_embed, embeds),
            *await compare(load, routes.CAPTION, bare.time_caption, captions),
        ]
    worst = max(compared, key=lambda comparison: comparison.ratio)
    figures = {"models": f"untrained, of size {plan.size}", "worst": worst.name}
    return Comparison(NAME, AIM, worst.runs, figures | {each.name: each.as_dict() for each in compared})


async def compare(load: Load, route: str, alone: Callable[[bytes], Cost], calls: int) -> list[Comparison]:
    """Of one route, by p50 and by p95, in five runs of so many calls."""
    pictures = repeat(photographs(16), calls)
    made = [Call.of_picture(route, picture) for picture in pictures]
    alone(pictures[0])
    await load.answer_all(made[:1], clients=1)
    runs = []
    for number in range(PAIRS):
        pairs = []
        for picture, call in zip(pictures, made, strict=True):
            before = alone(picture)
            pairs.append(Pair(ours=await load.answer_all([call], clients=1), theirs=before))
        runs.append(pairs)
        say(f"{route}, run {number + 1} of {PAIRS}, its last pair: {pairs[-1].told()}")
    return [tell(route, part, runs) for part in PARTS]


def tell(route: str, part: str, runs: Sequence[Sequence[Pair]]) -> Comparison:
    """One part of the distribution, in each run."""
    served = [find([pair.ours.wall for pair in pairs], PARTS[part]) for pairs in runs]
    alone = [find([pair.theirs.wall for pair in pairs], PARTS[part]) for pairs in runs]
    every = [pair for pairs in runs for pair in pairs]
    figures: dict[str, Any] = {
        "calls_a_run": len(runs[0]),
        "served_ms": [round(seconds * 1000, 1) for seconds in served],
        "bare_ms": [round(seconds * 1000, 1) for seconds in alone],
        "served_cpu_ms": round(statistics.mean(pair.ours.cpu for pair in every) * 1000, 1),
        "bare_cpu_ms": round(statistics.mean(pair.theirs.cpu for pair in every) * 1000, 1),
    }
    ratios = [ours / theirs for ours, theirs in zip(served, alone, strict=True)]
    return Comparison(f"{route} {part}", AIM, ratios, figures)


def find(times: Sequence[float], percent: int) -> float:
    """The time that so many percent of the calls keep."""
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def main(argv: Sequence[str] | None = None) -> Comparison:
    """Measure, and print one JSON object on the last line."""
    return run(NAME, __doc__, measure, argv=argv)


if __name__ == "__main__":
    main()
