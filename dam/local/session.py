"""One `dam up`: runs services, shows their logs while they run, and says which of them died.

Called by the command line. What it shows comes from the log files, so that they have all of it.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dam.local.processes import ProcessDiedError
from dam.local.screen import Screen
from dam.local.supervision import Supervisor
from dam.local.tails import Tail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

    from dam.local.processes import Command

_LOOK_S: Final = 0.1
_INTERRUPTED: Final = 130


class Session:
    """Used once: `run`."""

    def __init__(
        self, console: Console, commands: Sequence[Command], logs: Path, *, on_ready: Callable[[], None]
    ) -> None:
        self._console = console
        self._commands = commands
        self._logs = logs
        self._on_ready = on_ready
        self._screen = Screen(console, [command.name for command in commands])
        self._tails = {command.name: Tail(logs / f"{command.name}.log") for command in commands}
        self._stop = asyncio.Event()
        self._signals: list[signal.Signals] = []
        self._is_ready = False

    async def run(self, pause_s: float | None) -> int:
        """Until a signal, or a death that is not to be mended after a pause; the exit status."""
        supervisor = Supervisor(self._commands, self._logs, self._say, first_pause_s=pause_s)
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._heed, number, supervisor)
        showing = asyncio.create_task(self._show())
        died: ProcessDiedError | None = None
        try:
            await supervisor.run(self._stop, self._announce)
        except ProcessDiedError as error:
            died = error
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing
        for name, tail in self._tails.items():
            for line in tail.finish():
                self._screen.show(name, line)
        if died:
            self._tell_death(died)
            return 1
        return _INTERRUPTED if self._signals[:1] == [signal.SIGINT] and not self._is_ready else 0

    def _heed(self, number: signal.Signals, supervisor: Supervisor) -> None:
        """The first signal asks for an orderly stop; whoever sends another will not wait for it."""
        self._signals.append(number)
        if len(self._signals) == 1:
            self._console.print("Stopping … (Ctrl-C again: at once)", highlight=False)
            self._stop.set()
        else:
            supervisor.kill()

    def _announce(self) -> None:
        self._is_ready = True
        self._show_new()
        self._on_ready()

    def _say(self, name: str, sentence: str) -> None:
        self._show_new()
        self._screen.say(name, sentence)

    async def _show(self) -> None:
        while True:
            self._show_new()
            await asyncio.sleep(_LOOK_S)

    def _show_new(self) -> None:
        for name, tail in self._tails.items():
            for line in tail.read():
                self._screen.show(name, line)

    def _tell_death(self, died: ProcessDiedError) -> None:
        """Last of all, so that nobody has to look for it among what the others said when they stopped."""
        last = self._tails[died.name].last
        told = f"{died.headline} {'Its last lines:' if last else 'It said nothing.'}"
        self._console.print(f"\n{told}", style="bold red", highlight=False, soft_wrap=True)
        for line in last:
            self._screen.show(died.name, line)
        self._console.print(f"All of it is in {self._logs / died.name}.log", highlight=False, soft_wrap=True)
