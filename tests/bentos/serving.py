"""The Bento as a real process, for tests of what it answers over HTTP; also how the benchmark starts it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
START_S = 180.0
SERVE = "bentos.service:DamBento"


@dataclass
class Served:
    """One running service: its address, the supervisor's process, its log."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def worker(self) -> psutil.Process:
        """The process that holds the models."""
        [worker] = psutil.Process(self.process.pid).children()
        return worker

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name that have these labels; 0 where there is none."""
        text = httpx.get(f"{self.url}/metrics").text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def environment_of(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """Ours, with a BentoML home of its own."""
    ours = {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "true"}
    return {**os.environ, **ours, **settings}


def start(folder: Path, settings: dict[str, str], target: str = SERVE, cwd: Path = ROOT) -> Served:
    """Start it on a free port, and do not wait."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = folder / "bento.log"
    command = [sys.executable, "-m", "bentoml", "serve", target, "--host", "127.0.0.1", "--port", str(port)]
    environment = environment_of(folder, settings)
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=output)
    return Served(f"http://127.0.0.1:{port}", process, log)


@contextlib.contextmanager
def running(
    folder: Path, settings: dict[str, str], target: str = SERVE, cwd: Path = ROOT
) -> Iterator[Served]:
    """Start it, wait until it is ready, and stop it by pid."""
    served = start(folder, settings, target, cwd)
    try:
        wait_until_ready(served)
        yield served
    finally:
        served.process.terminate()
        served.process.wait(60)


def wait_until_ready(served: Served) -> None:
    """Poll `/readyz`. Raises AssertionError with the log's end once it has ended, or time is up."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and served.process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{served.url}/readyz", timeout=5).is_success:
                return
        time.sleep(0.1)
    raise AssertionError(f"The Bento did not get ready:\n{served.log.read_text()[-3000:]}")
