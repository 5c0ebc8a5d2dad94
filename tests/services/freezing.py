"""Stops a daemon where it stands, and returns when it has: a signal is only sent, perhaps heeded late."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_BOUND_S = 10.0


def freeze(process: subprocess.Popen[bytes]) -> None:
    """Stop every thread of it; `SIGCONT` lets it go on. Raises AssertionError where it does not stop."""
    process.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + _BOUND_S
    while not all(_has_stopped(task) for task in Path(f"/proc/{process.pid}/task").iterdir()):
        assert time.monotonic() < deadline, f"Process {process.pid} does not stop."
        time.sleep(0.01)


def _has_stopped(task: Path) -> bool:
    """By its state in proc(5), behind the name in brackets; a thread that has ended does nothing either."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] in {"T", "t", "Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return True
