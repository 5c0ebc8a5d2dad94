"""Small services of a few lines, in place of ours: they write, wait, end or will not end, as a test wants."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from dam.local.processes import Command

if TYPE_CHECKING:
    from pathlib import Path

_START = """
import os, pathlib, signal, sys, time
def note(word):
    with open({notes!r}, "a") as file:
        file.write(f"{name} {{word}}\\n")
def stop(*_):
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note("started")
"""
WAIT = "time.sleep(600)"
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def child(name: str, notes: Path, body: str = WAIT) -> Command:
    """It notes its start and its stop in `notes`, and runs `body` in between."""
    source = _START.format(notes=str(notes), name=name) + textwrap.dedent(body)
    return Command(name, [sys.executable, "-u", "-c", source])
