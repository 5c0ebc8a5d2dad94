"""What share of the bare model's rate the Bento gives to many clients: of `embed_service`, `caption_service`.

The bare model runs in this process: decoding and inference in a loop, at its best size of batch.
The real service runs as a process, the clients in this one. Both do the same pictures, in turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.bare_model import BareModel, Cost, rate_by_batch, run_through
from benchmarks.batching import serving
from benchmarks.bento_load import Call, Load
from benchmarks.bento_phases import say, spread
from benchmarks.pairing import Comparison
from benchmarks.turns import HEIGHT, WIDTH, photographs, repeat, take_turns
from bentos.tiny import write_set

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.batching import Plan
    from benchmarks.turns import Pair


@dataclass(frozen=True)
class Question:
    """One route, its clients, and the bare model's way of the same; pictures are those of one run."""

    name: str
    aim: str
    route: str
    lane: str
    clients: int
    pictures: int
    work: Callable[[BareModel], Callable[[Sequence[bytes]], object]]
    batches: Sequence[int]


class Clients:
    """The question's clients of a running service; `cpu_ms` is what they themselves took for each picture."""

    def __init__(self, load: Load, calls: Sequence[Call], number: int) -> None:
        self.cpu_ms: list[float] = []
        self._load = load
        self._calls = calls
        self._number = number

    async def ask(self) -> Cost:
        """Every call once."""
        before = Cost.now()
        served = await self._load.answer_all(self._calls, self._number)
        self.cpu_ms.append(round(Cost.now().since(before).cpu / len(self._calls) * 1000, 2))
        return served


async def compare(question: Question, plan: Plan) -> Comparison:
    """The service's pictures a second over the bare model's."""
    say(f"writing untrained models of size {plan.size}")
    write_set(plan.folder / plan.size, plan.size)
    work = question.work(BareModel(plan.folder, plan.size))
    pictures = repeat(photographs(16), question.pictures)
    say("the bare model by size of batch")
    rates = rate_by_batch(work, pictures[: max(question.batches)], question.batches)
    best = max(rates, key=lambda batch: rates[batch])
    figures: dict[str, Any] = {"models": f"untrained, of size {plan.size}", "clients": question.clients}
    figures |= {"picture": f"JPEG of {WIDTH} x {HEIGHT}, {len(pictures[0])} bytes"}
    figures |= {"bare_per_second_by_batch": rates, "bare_batch": best}

    async def loop() -> Cost:
        return run_through(work, pictures, best)

    async with serving(plan) as (url, pid), Load(url, pid) as load:
        clients = Clients(
            load, [Call.of_picture(question.route, each) for each in pictures], question.clients
        )
        await clients.ask()
        pairs = await take_turns(clients.ask, loop)
        figures["service_batches"] = spread((await load.batches())[question.lane])
    figures |= {"clients_cpu_ms": clients.cpu_ms[1:], **tell(pairs, len(pictures))}
    runs = [pair.theirs.wall / pair.ours.wall for pair in pairs]
    return Comparison(question.name, question.aim, runs, figures)


def tell(pairs: Sequence[Pair], pictures: int, ours: str = "served", theirs: str = "bare") -> dict[str, Any]:
    """Of each run: pictures a second, and the processor's ms for each picture, of both."""
    figures: dict[str, Any] = {"pictures_a_run": pictures}
    sides = {ours: [pair.ours for pair in pairs], theirs: [pair.theirs for pair in pairs]}
    for side, costs in sides.items():
        figures[f"{side}_per_second"] = [round(pictures / cost.wall, 3) for cost in costs]
        figures[f"{side}_cpu_ms"] = [round(cost.cpu / pictures * 1000, 1) for cost in costs]
    return figures
