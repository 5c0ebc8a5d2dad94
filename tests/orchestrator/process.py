"""`python -m orchestrator` as the real process it is in production, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[2]
_START_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Started:
    """A process, where its health is served, and what it has logged."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text()

    def wait_for(self, what: str) -> None:
        """Wait until it has logged that."""
        deadline = time.monotonic() + _START_S
        while what not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"It never said {what!r}:\n{self.said()[-3000:]}")
            time.sleep(0.02)

    def answer(self, path: str) -> httpx.Response:
        """What it answers, as soon as it answers."""
        self.wait_for("orchestrator.started")
        return httpx.get(self.url + path, timeout=10)

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        self.process.terminate()
        return self.process.wait(40)


def start(environment: Mapping[str, str], log: Path) -> Started:
    """Start one, its health on a free port unless `environment` says which; it need not be ready yet."""
    port = environment.get("DAM_ORCHESTRATOR_PORT") or str(_free_port())
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator"],
            cwd=ROOT,
            env={**os.environ, "DAM_ORCHESTRATOR_PORT": port, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    return Started(process, f"http://127.0.0.1:{port}", log)


@contextlib.contextmanager
def running(environment: Mapping[str, str], log: Path) -> Iterator[Started]:
    """One that is killed in the end, if it has not stopped before."""
    started = start(environment, log)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
