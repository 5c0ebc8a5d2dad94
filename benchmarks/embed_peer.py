"""Pictures a second of `POST /embed`, beside infinity: `python -m benchmarks.embed_peer --peer-env FOLDER`.

Both serve an untrained CLIP of ViT-B/32 size in float32 with a thread a core, to the same client and JPEGs of
640 x 480; infinity with the batch size that suits it best for that number of clients. One answers while the
other is idle, in turns. There is a ratio for 1, 8 and 32 clients; that which is worst beside its aim is the
benchmark's. The last line is JSON. `--quick`: tiny models.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.batching import serving
from benchmarks.bento_load import Call, Load
from benchmarks.bento_phases import say
from benchmarks.pairing import Comparison
from benchmarks.peer import Peer, make_call
from benchmarks.service_share import tell
from benchmarks.turns import photographs, run, take_turns
from bentos.tiny import write_set
from dam import routes

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from benchmarks.bare_model import Cost
    from benchmarks.batching import Plan

NAME: Final = "embed_peer"
AIMS: Final = {1: 1.2, 8: 1.8, 32: 1.15}
"""Of each number of clients."""
PICTURES: Final = {1: 24, 8: 64, 32: 128}
"""In each run, by the number of clients."""
QUICK: Final = {1: 8, 8: 16, 32: 32}
"""As above, for tiny models."""
WARM_UP: Final = (32, 64)
"""Clients and pictures before anything is timed."""


@dataclass(frozen=True)
class Side:
    """A service and the calls to it."""

    load: Load
    calls: list[Call]

    async def answer(self, clients: int, count: int) -> Cost:
        """So many pictures to so many clients."""
        calls = [self.calls[number % len(self.calls)] for number in range(count)]
        return await self.load.answer_all(calls, clients)


async def measure(plan: Plan, arguments: Namespace) -> Comparison:
    """Five pairs for each number of clients."""
    peer, model = Peer(arguments.peer_env), plan.folder / "peer"
    say(f"writing untrained models of size {plan.size}")
    write_set(plan.folder / plan.size, plan.size)
    peer.write_model(model, plan.size)
    pictures = photographs(16)
    their_calls = [make_call(model, picture) for picture in pictures]
    settings = (8,) if plan.quick else (4, 8, 16, 32)
    counts = QUICK if plan.quick else PICTURES
    rates = {batch: await try_setting(peer, model, batch, their_calls, counts) for batch in settings}
    best, compared = find_best(rates), {}
    async with serving(plan) as (url, pid), Load(url, pid) as load:
        ours = Side(load, [Call.of_picture(routes.EMBED, picture) for picture in pictures])
        await ours.answer(*WARM_UP)
        for batch, its_clients in best.items():
            async with serving_peer(peer, model, batch, their_calls) as theirs:
                for clients in its_clients:
                    compared[clients] = await compare(
                        ours, theirs, clients, counts[clients], {"peer_batch": batch}
                    )
    return sum_up(compared, {"models": f"untrained, of size {plan.size}", "peer_per_second": rates})


def sum_up(compared: dict[int, Comparison], figures: dict[str, Any]) -> Comparison:
    """All in one, with the runs of that which is worst beside its aim."""
    worst = min(compared, key=lambda clients: compared[clients].ratio / AIMS[clients])
    by_clients = {clients: each.as_dict() for clients, each in sorted(compared.items())}
    figures = figures | {"worst_at_clients": worst, "by_clients": by_clients}
    return Comparison(NAME, compared[worst].aim, compared[worst].runs, figures)


async def try_setting(
    peer: Peer, model: Path, batch: int, calls: list[Call], counts: dict[int, int]
) -> dict[int, float]:
    """Pictures a second of infinity with that largest batch, by the number of clients."""
    async with serving_peer(peer, model, batch, calls) as theirs:
        return {
            clients: round(count / (await theirs.answer(clients, count)).wall, 3)
            for clients, count in counts.items()
        }


@asynccontextmanager
async def serving_peer(peer: Peer, model: Path, batch: int, calls: list[Call]) -> AsyncIterator[Side]:
    """infinity, warm."""
    async with peer.serving(model, batch) as (url, pid), Load(url, pid) as load:
        side = Side(load, calls)
        await side.answer(*WARM_UP)
        yield side


def find_best(rates: dict[int, dict[int, float]]) -> dict[int, list[int]]:
    """Largest batches, each with the numbers of clients that it is the best for."""
    best: dict[int, list[int]] = {}
    for clients in AIMS:
        by_batch = {batch: by_clients[clients] for batch, by_clients in rates.items()}
        best.setdefault(max(by_batch, key=lambda batch: by_batch[batch]), []).append(clients)
    return best


async def compare(ours: Side, theirs: Side, clients: int, count: int, figures: dict[str, Any]) -> Comparison:
    """One number of clients, and so many pictures a run."""
    say(f"{clients} clients")
    pairs = await take_turns(lambda: ours.answer(clients, count), lambda: theirs.answer(clients, count))
    runs = [pair.theirs.wall / pair.ours.wall for pair in pairs]
    aim = f">= {AIMS[clients]} of infinity"
    return Comparison(f"{NAME} {clients}", aim, runs, figures | tell(pairs, count, "ours", "peer"))


def main(argv: Sequence[str] | None = None) -> Comparison:
    """Measure, and print one JSON object on the last line."""
    return run(
        NAME, __doc__, measure, ("--peer-env", "infinity's environment; made if it is not there"), argv=argv
    )


if __name__ == "__main__":
    main()
