"""What a benchmark that compares two ways says: the ratios of its paired runs, its aim, and the machine.

Used by every benchmark with an aim. In one run both ways are measured in turns, so that what else the machine
does meets both; the ratio is of one run, and the median of the runs answers. It measures nothing itself.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_AIM: Final = re.compile(r"(>=|<=) *(\d+(?:\.\d+)?)\b")
_CPU: Final = Path("/proc/cpuinfo")
_GIB: Final = 1024**3


@dataclass(frozen=True)
class Comparison:
    """One question, answered by the ratios of its paired runs; `figures` are what they were made of.

    `aim` begins with a bound on the ratio, as in `>= 0.90 of the bare model`, or holds none.
    """

    name: str
    aim: str
    runs: list[float]
    figures: dict[str, Any]

    @property
    def ratio(self) -> float:
        """The median of the runs. Raises StatisticsError where there were none."""
        return statistics.median(self.runs)

    @property
    def met(self) -> bool | None:
        """Whether the ratio keeps the aim's bound; None where the aim has none."""
        if (bound := _AIM.match(self.aim)) is None:
            return None
        limit = float(bound[2])
        return self.ratio >= limit if bound[1] == ">=" else self.ratio <= limit

    def as_dict(self) -> dict[str, Any]:
        """All of it but the machine, ready for JSON; ratios with three decimals."""
        return {
            "name": self.name,
            "aim": self.aim,
            "ratio": round(self.ratio, 3),
            "met": self.met,
            "runs": [round(run, 3) for run in self.runs],
            "figures": self.figures,
        }

    def print(self) -> None:
        """One line of JSON, with the machine: the last line of a benchmark."""
        print(json.dumps(self.as_dict() | {"machine": machine()}), flush=True)


def machine() -> dict[str, Any]:
    """What the figures were taken on. The load counts everything that ran in the last minute, us included."""
    torch = sys.modules.get("torch")  # not imported for this: most benchmarks have no use for it
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1),
        "torch_threads": torch.get_num_threads() if torch else None,
        "load_1min": round(os.getloadavg()[0], 2),
    }


def _cpu_model() -> str:
    """As the kernel names it, and on machines where it does not, the architecture."""
    if _CPU.exists() and (named := re.search(r"^model name\s*: *(.+)$", _CPU.read_text(), re.MULTILINE)):
        return named[1]
    return platform.machine()
