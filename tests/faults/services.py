"""The services under test, each a process that can be killed outright and started again where it was.

Used by the pipeline of the fault tests. Must end only what it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import sys
import time
from typing import TYPE_CHECKING, Final

import httpx
import psutil

from dam import routes
from dam.local.processes import Child, Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_S: Final = 180.0


class Service:
    """One service: `start`, `kill` and `start` again, on the same port and with the same log."""

    def __init__(self, name: str, module: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.log = folder / f"{name}.log"
        self.url = ""
        variables = dict(environment)
        if name != "maintain":
            port = free_port()
            self.url = f"http://127.0.0.1:{port}"
            variables |= {f"DAM_{part}_PORT": str(port) for part in ("INGEST", "GALLERY", "ORCHESTRATOR")}
            module = [part.format(port=port) for part in module]
        self._command = Command(name, [sys.executable, "-m", *module], variables)
        self._child: Child | None = None

    @property
    def name(self) -> str:
        """What it is called in logs and failures."""
        return self._command.name

    def start(self) -> None:
        """Start it, if it does not run, and do not wait."""
        if self._child is None or self._child._process.poll() is not None:
            self._child = Child(self._command, self.log)

    def kill(self) -> None:
        """`kill -9`, with every process it has started."""
        assert self._child is not None
        leader = psutil.Process(self._child.pid)
        for process in (leader, *leader.children(recursive=True)):  # a Bento's worker has its own session
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._child._process.wait()

    def stop(self) -> None:
        """SIGTERM, as in production."""
        if self._child is not None:
            asyncio.run(self._child.stop())

    def wait_until_up(self) -> None:
        """Until it says that it is ready; maintenance has no address, and is up when it has said a word."""
        deadline = time.monotonic() + START_S
        while not self._is_up():
            assert self._child is not None
            self._child.check()
            assert time.monotonic() < deadline, f"{self.name} did not get ready: see {self.log}"
            time.sleep(0.1)

    def _is_up(self) -> bool:
        if not self.url:
            return "maintenance." in self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(self.url + routes.READY, timeout=20).is_success
        return False


def free_port() -> int:
    """Below those that the system lends to whoever connects, so that a killed service finds its own again."""
    while True:
        port = random.randrange(20_000, 30_000)  # noqa: S311 - a port
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
