"""Resident memory of running processes: sampled, and the kernel's own high-water mark. Used by `memory`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

MB: Final = 1_000_000
_SAMPLE_S: Final = 0.02
_RESET_HIGH_WATER: Final = "5"  # proc(5), clear_refs


class Watch:
    """Peaks of some processes, by name and in bytes, since `over` was entered."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self.sampled: dict[str, int] = {}
        self.high_water: dict[str, int] = {}

    @asynccontextmanager
    async def over(self) -> AsyncIterator[None]:
        """Watch while the context is open."""
        self.sampled = dict.fromkeys(self._processes, 0)
        for process in self._processes.values():
            _reset_high_water(process.pid)
        sampling = asyncio.create_task(self._sample())
        try:
            yield
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)
        self.high_water = {name: _high_water(process.pid) for name, process in self._processes.items()}

    def peaks_mb(self) -> dict[str, float]:
        """The larger of both measures, in MB of a million bytes."""
        return {
            name: round(max(self.sampled[name], self.high_water[name]) / MB, 1) for name in self._processes
        }

    async def _sample(self) -> None:
        while True:
            for name, process in self._processes.items():
                self.sampled[name] = max(self.sampled[name], process.memory_info().rss)
            await asyncio.sleep(_SAMPLE_S)


def _reset_high_water(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_HIGH_WATER)


def _high_water(pid: int) -> int:
    """`VmHWM`, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"The kernel tells no high-water mark for process {pid}.")
