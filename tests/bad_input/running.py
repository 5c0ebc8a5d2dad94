"""The five services as processes on a real bucket and broker, and the most memory that each has held."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil
import pytest

from dam.local.services import running_services
from dam.settings import DamSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dam.local.addresses import Addresses
    from dam.local.processes import Child

BODY_S: Final = 2.0
"""How long each service waits for the rest of a body: short, so that the tests of it are."""
LIMITS_MB: Final = {"ingest": 120, "orchestrator": 400, "bento": 3000, "gallery": 500}
"""What each service's largest process may ever hold."""
_PATIENCE: Final = {
    "DAM_BODY_IDLE_S": str(BODY_S),
    "DAM_BODY_TIMEOUT_S": str(BODY_S * 10),
    "DAM_EMBED_TIMEOUT_S": "60",  # a search by picture waits behind all others here
    "DAM_LINGER_S": "1",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the services are, and their processes."""

    addresses: Addresses
    children: Sequence[Child]

    def peaks_mb(self) -> dict[str, float]:
        """The most memory that each service's largest process has held since its start (VmHWM)."""
        return {child.command.name: max(map(peak_mb, _processes(child))) for child in self.children}

    def pids(self) -> dict[str, set[int]]:
        """Every process of each service: the same before and after where none has died."""
        return {child.command.name: {item.pid for item in _processes(child)} for child in self.children}


@asynccontextmanager
async def running(environment: dict[str, str], folder: Path) -> AsyncIterator[Stack]:
    """Start all; each sees this environment. Nothing else does: other tests run while they are up."""
    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**environment, **_PATIENCE}.items():
                patch.setenv(name, value)
            settings = DamSettings(data_dir=folder)
            addresses, children = await stack.enter_async_context(running_services(settings))
        yield Stack(addresses, children)


def _processes(child: Child) -> list[psutil.Process]:
    top = psutil.Process(child.pid)
    return [top, *top.children(recursive=True)]


def peak_mb(process: psutil.Process) -> float:
    """The most memory that it has held since its start."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1000
