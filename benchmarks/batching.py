"""What the Bento's batching costs a lone caller and gives to many: `python -m benchmarks.batching [--quick]`.

Untrained models of the size of ViT-B/32 and BLIP base, the real service as a process, and beside it the very
same models called directly. Times that are compared were taken in turns, in one run. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from benchmarks import bento_phases as phases
from benchmarks.bare_model import BareModel
from benchmarks.bento_load import Load, photograph
from bentos.tiny import write_set
from dam import routes
from dam.local.processes import Child, Command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST: Final = "127.0.0.1"


def main() -> None:
    """Measure, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny models and short phases: under a minute")
    parser.add_argument("--stock", action="store_true", help="BentoML's own batching instead of ours")
    arguments = parser.parse_args()
    if "OMP_WAIT_POLICY" not in os.environ:  # OpenMP reads it when torch is loaded, which is before here
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # as the service has it: both compared alike
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.batching", *sys.argv[1:]])  # noqa: S606
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(Path(folder), quick=arguments.quick, stock=arguments.stock)
        print(json.dumps(asyncio.run(measure(plan))))


@dataclass(frozen=True)
class Plan:
    """What is measured, and how long."""

    folder: Path
    quick: bool
    stock: bool

    @property
    def size(self) -> str:
        """Of the models."""
        return "tiny" if self.quick else "base"

    @property
    def spell(self) -> phases.Spell:
        """Busy seconds before a lone call."""
        return phases.Spell(2.0, 2) if self.quick else phases.Spell(10.0, 3)

    @property
    def busy(self) -> list[tuple[str, int]]:
        """Who makes it busy: clients of each route."""
        return [(routes.EMBED, 8)] if self.stock else [(routes.EMBED, 8), (routes.CAPTION, 2)]

    @property
    def target(self) -> str:
        """The service."""
        return "benchmarks.stock:StockBento" if self.stock else "bentos.service:DamBento"


async def measure(plan: Plan) -> dict[str, Any]:
    """Every figure of this benchmark."""
    phases.say(f"writing untrained models of size {plan.size}")
    write_set(plan.folder / plan.size, plan.size)
    bare = BareModel(plan.folder, plan.size)
    pictures = [photograph(seed) for seed in range(16)]
    figures: dict[str, Any] = {
        "benchmark": "batching",
        "quick": plan.quick,
        "service": plan.target,
        "models": f"untrained, of size {plan.size}",
        "cores": len(os.sched_getaffinity(0)),
        "picture_bytes": len(pictures[0]),
    }
    async with serving(plan) as (url, pid), Load(url, pid) as load:
        figures["lone_quiet"] = await phases.lone_quiet(load, bare, pictures, 15 if plan.quick else 21)
        figures["lone_after_busy"] = await phases.lone_after_busy(load, bare, pictures, plan.busy, plan.spell)
        figures["throughput"] = await phases.throughput(load, bare, pictures, plan.spell.seconds)
        figures["burst_of_200"] = await phases.burst(load, pictures, [routes.EMBED])
        figures["one_truncated_of_16"] = await phases.one_truncated(load, pictures)
        if not plan.stock:
            figures["burst_of_200"] |= await phases.burst(load, pictures, [routes.CAPTION])
            await phases.load_texts(load)
            batches = await load.batches()
            figures["batches"] = {lane: phases.spread(sizes) for lane, sizes in batches.items()}
    return figures


@asynccontextmanager
async def serving(plan: Plan) -> AsyncIterator[tuple[str, int]]:
    """The real service with these models, its address and process id; stopped at the end."""
    phases.say("starting the service")
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://{HOST}:{port}"
    serve = [sys.executable, "-m", "bentoml", "serve", plan.target]
    environment = {
        "BENTOML_HOME": str(plan.folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
        "DAM_MODELS_DIR": str(plan.folder),
        "DAM_MODEL_SET": plan.size,
    }
    command = Command("bento", [*serve, "--host", HOST, "--port", str(port)], environment)
    child = Child(command, plan.folder / "bento.log")
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            while not await is_ready(client, url):
                child.check()
                await asyncio.sleep(0.2)
        yield url, child.pid
    finally:
        await child.stop()


async def is_ready(client: httpx.AsyncClient, url: str) -> bool:
    """Whether `/readyz` says so now."""
    try:
        return (await client.get(url + routes.READY)).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()
