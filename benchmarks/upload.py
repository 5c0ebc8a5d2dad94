"""What the upload API makes of its store and its broker: `python -m benchmarks.upload [--quick]`.

64 clients upload files of 200 KB, of 5 MB and of 200 MB to the real process, on radosgw and RabbitMQ; beside
it, in turns on the same two servers, 64 tasks that make the same requests with aioboto3 and aio-pika alone.
A run's ratio is that of the size which fares worst: files a second through the service over those without.
The S3 server keeps objects in memory, so there are few of the largest files at once, and it is made anew for
each run. `--quick`: fewer files, 20 MB instead of 200, and one S3 server.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import uvloop

from benchmarks.bare_upload import BareUpload, bare_uploads
from benchmarks.brokers import HOST, Brokers, free_port, ready_at, running_brokers, running_service
from benchmarks.pairing import Comparison
from benchmarks.resident import MB, Watch
from benchmarks.upload_clients import Client, Pace, Sender, keep_busy, make_files
from benchmarks.upload_figures import Load, Side, cpu_seconds
from dam.local.processes import Command
from tests.services.rabbitmq import RabbitMq
from tests.services.radosgw import Radosgw

if TYPE_CHECKING:
    from collections.abc import Sequence

AIM: Final = ">= 0.7 of the files a second that bare aioboto3 and aio-pika take, at each size"


FULL: Final = (
    Load("200 KB", 200_000, 64, 512),
    Load("5 MB", 5 * MB, 64, 96),
    Load("200 MB", 200 * MB, 4, 4),
)
QUICK: Final = (
    Load("200 KB", 200_000, 64, 96),
    Load("5 MB", 5 * MB, 16, 16),
    Load("20 MB", 20 * MB, 4, 4),
)
WARMING: Final = Load("warming", 200_000, 64, 64)
RUNS: Final = 5


@dataclass
class Duel:
    """Both ways on the same servers, in turns."""

    loads: Sequence[Load]
    filler: memoryview
    service: Side = field(default_factory=Side)
    bare: Side = field(default_factory=Side)
    refused: int = 0

    @classmethod
    def with_loads(cls, loads: Sequence[Load]) -> Self:
        """Of these sizes; the files' content is made here."""
        return cls(loads, memoryview(os.urandom(max(load.size for load in loads))))

    async def run(self, brokers: Brokers, numbers: Sequence[int]) -> None:
        """Runs with these numbers, on one process: every size, once each way, the one or the other first."""
        settings = brokers.renew()
        port = free_port()
        address = {"DAM_INGEST_HOST": HOST, "DAM_INGEST_PORT": str(port)}
        command = ready_at(Command("ingest", [sys.executable, "-m", "ingest_api"], address), port)
        async with AsyncExitStack() as stack:
            child = await stack.enter_async_context(running_service(command, brokers.folder / "ingest.log"))
            bare = await stack.enter_async_context(bare_uploads(settings))
            clients = [Client(f"http://{HOST}:{port}") for _ in range(64)]
            served: list[Sender] = [client.send for client in clients]
            await self._send(served, WARMING)
            await self._send([bare.send] * WARMING.clients, WARMING)
            for number in numbers:
                for load in self.loads:
                    for is_service in (number % 2 == 0, number % 2 != 0):
                        if is_service:
                            await self._serve(load, served, child.pid)
                        else:
                            await self._do_without(load, bare)
                print(f"run {number + 1} of {RUNS}: {self._last()}", file=sys.stderr)
            self.refused += sum(client.refused for client in clients)
            for client in clients:
                await client.close()

    async def _serve(self, load: Load, served: Sequence[Sender], pid: int) -> None:
        watch = Watch({"ingest": pid})
        async with watch.over():
            await self._note(self.service, load, served, pid)
        self.service.peaks_mb.setdefault(load.name, []).append(watch.peaks_mb()["ingest"])

    async def _do_without(self, load: Load, bare: BareUpload) -> None:
        await self._note(self.bare, load, [bare.send] * load.clients, os.getpid())

    async def _note(self, side: Side, load: Load, senders: Sequence[Sender], pid: int) -> None:
        before = cpu_seconds(pid)
        pace = await self._send(senders, load)
        side.cpu_s.setdefault(load.name, []).append(cpu_seconds(pid) - before)
        side.paces.setdefault(load.name, []).append(pace)

    async def _send(self, senders: Sequence[Sender], load: Load) -> Pace:
        return await keep_busy(senders[: load.clients], make_files(self.filler, load.size, load.files))

    def ratios(self) -> dict[str, list[float]]:
        """By size, one a run."""
        return {
            name: [
                ours.per_second / theirs.per_second
                for ours, theirs in zip(paces, self.bare.paces[name], strict=True)
            ]
            for name, paces in self.service.paces.items()
        }

    def _last(self) -> dict[str, float]:
        return {name: round(runs[-1], 3) for name, runs in self.ratios().items()}


def measure() -> Comparison:
    """Every run with an S3 server of its own."""
    duel = Duel.with_loads(FULL)
    with tempfile.TemporaryDirectory() as folder, RabbitMq() as rabbitmq:
        for number in range(RUNS):
            with Radosgw() as radosgw:
                uvloop.run(duel.run(Brokers(radosgw, rabbitmq, Path(folder)), [number]))
    return compare(duel)


def measure_quickly(brokers: Brokers) -> Comparison:
    """Fewer and smaller files, all on the same servers."""
    duel = Duel.with_loads(QUICK)
    uvloop.run(duel.run(brokers, range(RUNS)))
    return compare(duel)


def compare(duel: Duel) -> Comparison:
    """What is printed."""
    ratios = duel.ratios()
    medians = {name: statistics.median(runs) for name, runs in ratios.items()}
    worst = min(medians, key=lambda name: medians[name])
    return Comparison(
        name="upload",
        aim=AIM,
        runs=ratios[worst],
        figures={
            "ratio_of": worst,
            "ratio_by_size": {name: round(median, 3) for name, median in medians.items()},
            "clients": {load.name: load.clients for load in duel.loads},
            "files_a_turn": {load.name: load.files for load in duel.loads},
            "service": duel.service.report(duel.loads),
            "bare": duel.bare.report(duel.loads),
            "told_to_come_later": duel.refused,
        },
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller files: under a minute")
    if parser.parse_args().quick:
        with tempfile.TemporaryDirectory() as folder, running_brokers(Path(folder)) as brokers:
            measure_quickly(brokers).print()
    else:
        measure().print()


if __name__ == "__main__":
    main()
