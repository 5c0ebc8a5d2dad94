"""Runs `dam demo` as a newcomer does: the real command, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
DEADLINE_S = 240.0
"""Four services start, PyTorch among them, on whatever machine runs the tests."""

_WIDE = {"COLUMNS": "200", "NO_COLOR": "1"}


@dataclass(frozen=True, slots=True)
class Finished:
    """What a `dam demo --once` said, and its report."""

    output: str
    report: dict[str, Any]


def run_once(data: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Finished:
    """Run `dam demo --once` to its end; it must succeed, and leave no process behind."""
    report = data.parent / f"{data.name}-report.json"
    with started(data, "--once", "--report", str(report), *arguments, environment=environment) as demo:
        status = demo.process.wait(DEADLINE_S)
        output = demo.output()
    assert status == 0, output
    return Finished(output, json.loads(report.read_text()))


@dataclass(frozen=True, slots=True)
class Demo:
    """A running `dam demo`."""

    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        """What it printed so far."""
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        """Return when it has printed `text`."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.output():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)

    def children(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> int:
        """Ctrl-C, and its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextlib.contextmanager
def started(data: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Demo]:
    """`dam demo` on `data`, its output in a file; killed with all its children if it is still there."""
    log = data.parent / f"{data.name}-output-{time.monotonic_ns()}.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dam.cli.main", "demo", "--data", str(data), *arguments],
            cwd=ROOT,
            env={**os.environ, **_WIDE, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Demo(process, log)
    finally:
        if process.poll() is None:
            below = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            for child in below:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
            process.wait()
