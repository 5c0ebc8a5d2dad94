"""The single measurements of `batching`: each asks the running service, and the bare model where it compares.

Figures that are compared are taken in turns, and as medians; all times are in ms, all rates per second.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from dam import routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bare_model import BareModel, Cost
    from benchmarks.bento_load import Load

BEST_OF: Final = (1, 2, 4, 8, 16)
"""Batch sizes that the bare model is tried with; the service's largest is 16."""


@dataclass(frozen=True)
class Spell:
    """Busy seconds, and how often."""

    seconds: float
    times: int


async def lone_quiet(load: Load, bare: BareModel, pictures: Sequence[bytes], times: int) -> dict[str, Any]:
    """A lone `/embed`, and the bare model with its decoding, in turns."""
    say("a lone call on a quiet service")
    served, alone = [], []
    for number in range(times):
        picture = pictures[number % len(pictures)]
        alone.append(bare.time_embed(picture))
        served.append(await load.time_embed(picture))
    return compare(served, alone)


async def lone_after_busy(
    load: Load, bare: BareModel, pictures: Sequence[bytes], busy: Sequence[tuple[str, int]], spell: Spell
) -> dict[str, Any]:
    """A lone `/embed` right after busy seconds: the very first one, and with the four after it."""
    first, all_served, alone = [], [], []
    for _ in range(spell.times):
        say(f"a lone call after {spell.seconds:.0f} busy seconds")
        await asyncio.gather(
            *(load.keep_busy(route, pictures, clients, spell.seconds) for route, clients in busy)
        )
        served = [await load.time_embed(picture) for picture in pictures[:5]]
        first.append(served[0])
        all_served += served
        alone += [bare.time_embed(picture) for picture in pictures[:5]]
    return {**compare(all_served, alone), "first": compare(first, alone)}


async def throughput(
    load: Load, bare: BareModel, pictures: Sequence[bytes], seconds: float
) -> dict[str, Any]:
    """Embeddings a second at 1, 8 and 32 clients, and the bare model's by batch size."""
    say("throughput")
    alone = {}
    for batch in BEST_OF:
        done, cost = bare.embed_for(seconds / 3, pictures, batch)
        alone[batch] = {
            "per_second": round(done / cost.wall, 2),
            "cpu_ms_per_picture": round(cost.cpu / done * 1000, 1),
        }
    served = [await load.keep_busy(routes.EMBED, pictures, clients, seconds) for clients in (1, 8, 32)]
    best = max(each["per_second"] for each in alone.values())
    thriftiest = min(each["cpu_ms_per_picture"] for each in alone.values())
    return {
        "served": served,
        "bare_by_batch": alone,
        "ratio_to_bare_best": [round(each["per_second"] / best, 3) for each in served],
        "cpu_ratio_to_bare_best": [round(each["cpu_ms_per_picture"] / thriftiest, 3) for each in served],
    }


async def burst(load: Load, pictures: Sequence[bytes], targets: Sequence[str]) -> dict[str, Any]:
    """200 calls at once to a route: only answers, 429 or 503 with `Retry-After`."""
    figures = {}
    for route in targets:
        say(f"a burst of 200 to {route}")
        answers = await load.together(route, [pictures[n % len(pictures)] for n in range(200)])
        refused = [answer for answer in answers if answer.status_code != httpx.codes.OK]
        figures[route] = {
            "statuses": dict(Counter(answer.status_code for answer in answers)),
            "all_as_promised": all(
                answer.status_code in {429, 503} and int(answer.headers.get("retry-after", 0)) > 0
                for answer in refused
            ),
        }
    return figures


async def one_truncated(load: Load, pictures: Sequence[bytes]) -> dict[str, Any]:
    """16 calls at once, one of them half a file; the others' vectors beside those they get alone."""
    say("one truncated picture among 16")
    alone = [(await load.post(routes.EMBED, picture)).json()["embedding"] for picture in pictures]
    sent = list(pictures)
    sent[5] = sent[5][: len(sent[5]) // 2]
    answers = await load.together(routes.EMBED, sent)
    cosines = [
        sum(a * b for a, b in zip(answer.json()["embedding"], expected, strict=True))
        for number, (answer, expected) in enumerate(zip(answers, alone, strict=True))
        if number != 5 and answer.is_success  # noqa: PLR2004 - the truncated one, as above
    ]
    return {
        "truncated": answers[5].status_code,
        "others": dict(Counter(answer.status_code for answer in answers[:5] + answers[6:])),
        "least_cosine_to_alone": round(min(cosines), 6) if cosines else None,
    }


async def load_texts(load: Load) -> None:
    """64 texts at once, for the text lane's batch sizes."""
    await asyncio.gather(*(load.post_text(f"picture number {number}") for number in range(64)))


def compare(served: Sequence[Cost], alone: Sequence[Cost]) -> dict[str, Any]:
    """In ms, with their ratios: medians by the clock, and processor time, which other load changes less."""
    figures: dict[str, Any] = {"calls": len(served)}
    measures = {
        "": [statistics.median(cost.wall for cost in costs) for costs in (served, alone)],
        # The system counts it in steps of 10 ms: a mean says more than a median.
        "cpu_": [statistics.mean(cost.cpu for cost in costs) for costs in (served, alone)],
    }
    for name, (ours, bare) in measures.items():
        figures[f"served_{name}ms"] = round(ours * 1000, 2)
        figures[f"bare_{name}ms"] = round(bare * 1000, 2)
        figures[f"{name}ratio"] = round(ours / bare, 3)
    return figures


def spread(sizes: Counter[float]) -> dict[str, int]:
    """Batches by size: a bound counts those above the bound before it."""
    return {f"<={bound:g}": int(count) for bound, count in sorted(sizes.items()) if count}


def say(what: str) -> None:
    """Progress, for a person who waits."""
    print(f"{what} …", file=sys.stderr, flush=True)
