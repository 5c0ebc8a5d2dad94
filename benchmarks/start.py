"""How long each service takes to start: `python -m benchmarks.start [--quick]`.

From the start of the process to its first `/readyz` that says yes, on radosgw and RabbitMQ; beside it, how
long the import of its code takes alone, and how large an environment of its part of the lock alone is.
A run's ratio is the worse of two: the upload API's seconds over 1.5, the orchestrator's over 2. `--quick`: on
a folder and SQLite, the gallery and the Bento once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from benchmarks.brokers import HOST, free_port, ready_at, running_brokers, running_service
from benchmarks.pairing import Comparison
from benchmarks.resident import MB
from dam.local.processes import Command

AIM: Final = "<= 1 of what is allowed: the upload API is ready in 1.5 s, the orchestrator in 2 s"
LIMITS_S: Final = {"ingest": 1.5, "orchestrator": 2.0}
RUNS: Final = 5
MODULES: Final = {
    "ingest": "ingest_api.__main__",
    "orchestrator": "orchestrator.__main__",
    "gallery": "gallery_api.__main__",
    "bento": "bentos.service",
}
_BENTO: Final = ("-m", "bentoml", "serve", "bentos.service:DamBento")
_LOCK: Final = Path(__file__).parents[1] / "requirements.py"
_PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def command_of(name: str, environment: dict[str, str]) -> Command:
    """A service on a free port, as it is started in production."""
    port = free_port()
    if name == "bento":
        argv = [sys.executable, *_BENTO, "--host", HOST, "--port", str(port)]
        return ready_at(Command(name, argv, {"BENTOML_DO_NOT_TRACK": "true"}), port)
    environment = {
        **environment,
        f"DAM_{name.upper()}_HOST": HOST,
        f"DAM_{name.upper()}_PORT": str(port),
    }
    argv = [sys.executable, "-m", MODULES[name].removesuffix(".__main__")]
    return ready_at(Command(name, argv, environment), port)


@dataclass
class Starts:
    """Seconds of each service, one a start."""

    folder: Path
    environment: dict[str, str]
    ready_s: dict[str, list[float]] = field(default_factory=dict)
    import_s: dict[str, list[float]] = field(default_factory=dict)

    async def measure(self, *, quick: bool) -> None:
        """Every service in turns; the Bento that was started last stays up for the others."""
        async with AsyncExitStack() as stack:
            for _ in range(1 if quick else RUNS):
                await stack.aclose()
                address = await self._start("bento", stack)
                self.environment["DAM_BENTO_URL"] = address
                self._import("bento")
            for number in range(RUNS):
                for name in ("ingest", "orchestrator", "gallery"):
                    once = not quick or number == 0
                    if name in LIMITS_S or once:
                        async with AsyncExitStack() as one:
                            await self._start(name, one)
                    if once:
                        self._import(name)

    async def _start(self, name: str, stack: AsyncExitStack) -> str:
        """Its address; it runs as long as the stack is open."""
        command = command_of(name, self.environment)
        started = time.perf_counter()
        await stack.enter_async_context(running_service(command, self.folder / f"{name}.log"))
        self.ready_s.setdefault(name, []).append(time.perf_counter() - started)
        return str(command.ready_url).rpartition("/")[0]

    def _import(self, name: str) -> None:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {MODULES[name]}"], check=True)
        self.import_s.setdefault(name, []).append(time.perf_counter() - started)

    def report(self) -> dict[str, dict[str, Any]]:
        """Medians by service."""
        return {
            name: {
                "ready_s": round(statistics.median(times), 3),
                "import_s": round(statistics.median(self.import_s[name]), 3),
            }
            for name, times in self.ready_s.items()
        }


def weigh(extra: str) -> int:
    """MB of all packages that the lock holds for this service, as they are installed here."""
    part = subprocess.run([sys.executable, str(_LOCK), extra], check=True, capture_output=True, text=True)
    size = 0
    for name in _PINNED.findall(part.stdout):
        with contextlib.suppress(metadata.PackageNotFoundError):  # of another platform
            for file in metadata.files(name) or ():
                with contextlib.suppress(FileNotFoundError):
                    size += Path(str(file.locate())).stat().st_size
    return round(size / MB)


def measure(*, quick: bool) -> Comparison:
    """Start everything, so often."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not quick:
            stack.enter_context(running_brokers(folder)).renew()
        starts = Starts(folder, {"DAM_DATA_DIR": str(folder)})
        asyncio.run(starts.measure(quick=quick))
    shares = [[seconds / limit for seconds in starts.ready_s[name]] for name, limit in LIMITS_S.items()]
    return Comparison(
        name="start",
        aim=AIM,
        runs=[max(run) for run in zip(*shares, strict=True)],
        figures={
            "on": "a folder and SQLite" if quick else "radosgw and RabbitMQ",
            "limits_s": LIMITS_S,
            "services": starts.report(),
            "environments_mb": {} if quick else {name: weigh(name) for name in MODULES},
        },
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without an S3 server and a broker")
    measure(quick=parser.parse_args().quick).print()


if __name__ == "__main__":
    main()
