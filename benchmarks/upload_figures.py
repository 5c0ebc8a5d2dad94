"""What `upload` notes of each way of uploading: paces, processor time and memory, by size."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from benchmarks.resident import MB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.upload_clients import Pace


class Load(NamedTuple):
    """Files of one size, and how many clients send them."""

    name: str
    size: int
    clients: int
    files: int


@dataclass
class Side:
    """One way of uploading: its paces, one a run, and its peaks of memory where it is a service."""

    paces: dict[str, list[Pace]] = field(default_factory=dict)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)
    """Of the service's process, or of ours where there is none; the clients' own is in neither."""
    peaks_mb: dict[str, list[float]] = field(default_factory=dict)

    def report(self, loads: Sequence[Load]) -> dict[str, Any]:
        """Medians by size."""
        return {load.name: self._report(load) for load in loads}

    def _report(self, load: Load) -> dict[str, float]:
        rate = statistics.median(pace.per_second for pace in self.paces[load.name])
        figures = {
            "files_per_s": round(rate, 2),
            "mb_per_s": round(rate * load.size / MB, 1),
            "cpu_ms_per_file": round(statistics.median(self.cpu_s[load.name]) / load.files * 1000, 2),
        }
        if peaks := self.peaks_mb.get(load.name):
            figures["peak_mb"] = max(peaks)
        return figures


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processor so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
