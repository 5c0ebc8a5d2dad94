"""Resident memory of running processes: its peak, sampled and by the kernel's own mark, and its trend.

Used by the benchmarks that start services.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

MB: Final = 1_000_000
_SAMPLE_S: Final = 0.02
_TREND_SAMPLE_S: Final = 1.0
_SHOWN: Final = 12
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


class Trend:
    """How the memory of some processes, their children included, goes on while `over` is open."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._samples: dict[str, list[tuple[float, int, int]]] = {name: [] for name in pids}

    @asynccontextmanager
    async def over(self) -> AsyncIterator[None]:
        """Sample while the context is open."""
        sampling = asyncio.create_task(self._sample())
        try:
            yield
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)

    def report(self) -> dict[str, dict[str, Any]]:
        """Figures by name, but for the peak of the last two thirds of the time, in which caches are full.

        `slope_mb_per_minute` is of a line through the samples; `growth` is what that line climbs, as a share
        of where it begins. `own_mb` is the part that is no file's: code counts as resident when it is used.
        """
        return {name: _fit(samples) for name, samples in self._samples.items()}

    async def _sample(self) -> None:
        while True:
            for name, process in self._processes.items():
                family = [process, *process.children(recursive=True)]
                infos = [one.memory_info() for one in family]
                resident, of_files = sum(info.rss for info in infos), sum(info.shared for info in infos)
                self._samples[name].append((time.monotonic(), resident, resident - of_files))
            await asyncio.sleep(_TREND_SAMPLE_S)


def _fit(samples: list[tuple[float, int, int]]) -> dict[str, Any]:
    times, sizes, own = np.array(samples).T
    settled = times >= times[0] + (times[-1] - times[0]) / 3
    slope, start = np.polyfit(times[settled] - times[settled][0], sizes[settled], 1)
    seconds = float(np.ptp(times[settled]))
    shown = np.linspace(0, len(sizes) - 1, _SHOWN).astype(int)
    return {
        "series_mb": [round(float(size) / MB, 1) for size in sizes[shown]],
        "own_mb": [round(float(size) / MB, 1) for size in own[shown]],
        "peak_mb": round(float(sizes.max()) / MB, 1),
        "mean_mb": round(float(sizes[settled].mean()) / MB, 1),
        "slope_mb_per_minute": round(float(slope) * 60 / MB, 3),
        "growth": round(float(slope) * seconds / float(start), 4),
    }


def _reset_high_water(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text(_RESET_HIGH_WATER)


def _high_water(pid: int) -> int:
    """`VmHWM`, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"The kernel tells no high-water mark for process {pid}.")
