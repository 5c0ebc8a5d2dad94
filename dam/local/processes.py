"""Child processes: started with a log file each, watched, and stopped by pid.

Used by `dam demo` and `dam up`. It knows nothing of what it starts. Children get a session of their own, so
that a Ctrl-C in the terminal reaches only the parent, which stops them in order; where `setpriv` is there
(any Debian), they also end when the parent is killed outright.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dam.errors import DamError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STOP_DEADLINE_S = 20.0
_TAIL_BYTES = 4000


class ProcessDiedError(DamError):
    """A service that should be running has ended; the message holds the end of its log.

    `headline` says which and how, without the log.
    """

    def __init__(self, name: str, status: int, log: Path) -> None:
        self.name = name
        self.headline = f"The service '{name}' {_describe(status)}."
        super().__init__(f"{self.headline} The end of its log, {log}:\n{_read_tail(log)}")


@dataclass(frozen=True, slots=True)
class Command:
    """One service: what to run, with what environment on top of ours, and where it says it is ready."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_url: str | None = None


class Child:
    """One running service."""

    def __init__(self, command: Command, log: Path) -> None:
        self.command = command
        self.log = log
        argv = list(command.argv)
        if setpriv := shutil.which("setpriv"):
            argv = [setpriv, "--pdeathsig", "TERM", "--", *argv]
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own services
                argv,
                env={**os.environ, **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise `ProcessDiedError` if it has ended."""
        status = self._process.poll()
        if status is not None:
            raise ProcessDiedError(self.command.name, status, self.log)

    def kill(self) -> None:
        """End it and its whole session at once, whatever it is doing; `stop` still tidies up."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End it: SIGTERM, and SIGKILL to its whole session past the deadline."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        deadline = asyncio.get_running_loop().time() + STOP_DEADLINE_S
        while self._process.poll() is None:
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)


def _describe(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _read_tail(log: Path) -> str:
    data = log.read_bytes()[-_TAIL_BYTES:]
    return data.decode(errors="replace").strip()
