"""`dam up` as a process of its own, as a person starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE_S = 60.0


class Up:
    """A running `dam up`, and what it printed so far."""

    def __init__(self, data: Path, *arguments: str, **variables: str) -> None:
        self.printed = data.parent / f"up-{time.monotonic_ns()}.txt"
        with self.printed.open("wb") as output:
            self.process = subprocess.Popen(
                (sys.executable, "-m", "dam.cli.main", "up", "--data", str(data), *arguments),
                env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def output(self) -> str:
        """All of it."""
        return self.printed.read_text()

    def wait_for(self, text: str, count: int = 1) -> None:
        """Return when it was printed so often."""
        deadline = time.monotonic() + DEADLINE_S
        while self.output().count(text) < count:
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def children(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def find(self, module: str) -> psutil.Process:
        """The service that runs this module."""
        [found] = [child for child in self.children() if module in child.cmdline()]
        return found

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


@contextlib.contextmanager
def running(data: Path, *arguments: str, **variables: str) -> Iterator[Up]:
    """Killed with all its services if it is still there."""
    up = Up(data, *arguments, **variables)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            below = up.children()
            up.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                up.process.wait(30)
            for child in below:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            up.process.kill()
            up.process.wait()
