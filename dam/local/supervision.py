"""Runs services until a stop is asked for or one of them dies, and stops them in reverse order.

Called by `dam up`. One that is up but not ready is no fault: services wait out what they depend on. One that
dies ends all, or is started again after a growing pause.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import httpx

from dam.local.processes import Child, Command, ProcessDiedError
from dam.local.readiness import find_hindrance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_LOOK_S: Final = 0.2
_TOLD_AFTER_S: Final = 15.0
_TOLD_AGAIN_S: Final = 60.0
_STEADY_S: Final = 60.0
"""One that ran for so long begins with the shortest pause again."""
_LONGEST_PAUSE_S: Final = 60.0
_DOUBLINGS: Final = 16


class Supervisor:
    """Used once: `run`."""

    def __init__(
        self,
        commands: Sequence[Command],
        logs: Path,
        tell: Callable[[str, str], None],
        *,
        first_pause_s: float | None = None,
    ) -> None:
        """With `first_pause_s` a service that dies is started again: after so long, then twice as long."""
        self._minds = [_Mind(command, logs / f"{command.name}.log", tell) for command in commands]
        self._first_pause_s = first_pause_s

    async def run(self, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Start all, call `on_ready` once all are ready, return when all have stopped after `stop` was set.

        Raises:
            ProcessDiedError: a service ended, and is not to be started again. The others are stopped by then.
        """
        async with httpx.AsyncClient(timeout=5) as client:
            minding = [asyncio.create_task(mind.keep(client, self._first_pause_s)) for mind in self._minds]
            announcing = asyncio.create_task(self._announce(on_ready))
            stopping = asyncio.create_task(stop.wait())
            try:
                done, _ = await asyncio.wait([*minding, stopping], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                tasks = [*minding, announcing, stopping]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for mind in reversed(self._minds):
                    await mind.stop()

    def kill(self) -> None:
        """End all at once: for whoever will not wait for a `stop`."""
        for mind in self._minds:
            if mind.child:
                mind.child.kill()

    async def _announce(self, on_ready: Callable[[], None]) -> None:
        for mind in self._minds:
            await mind.is_ready.wait()
        on_ready()


class _Mind:
    """One service, and what is to be done about it."""

    def __init__(self, command: Command, log: Path, tell: Callable[[str, str], None]) -> None:
        self._command = command
        self._log = log
        self._tell = tell
        self.child: Child | None = None
        self.is_ready = asyncio.Event()

    async def keep(self, client: httpx.AsyncClient, pause_s: float | None) -> None:
        """Keep it running. Raises `ProcessDiedError` where it is not to be started again."""
        failures = 0
        while True:
            began = time.monotonic()
            self.child = Child(self._command, self._log)
            try:
                await self._watch(self.child, client)
            except ProcessDiedError as error:
                if pause_s is None:
                    raise
                failures = 0 if time.monotonic() - began > _STEADY_S else failures
                pause = min(pause_s * 2 ** min(failures, _DOUBLINGS), _LONGEST_PAUSE_S)
                failures += 1
                self._tell(self._command.name, f"{error.headline} It is started again in {pause:g} s.")
                await self.stop()
                await asyncio.sleep(pause)

    async def stop(self) -> None:
        """End it, and what it may have left behind."""
        if self.child:
            await self.child.stop()
        self.child = None

    async def _watch(self, child: Child, client: httpx.AsyncClient) -> None:
        """Say when it is ready, or why it is not yet; then watch it. Raises `ProcessDiedError`."""
        url, told, told_at = child.command.ready_url, "", time.monotonic()
        while url and (hindrance := await find_hindrance(client, url)) is not None:
            child.check()
            if time.monotonic() - told_at > (_TOLD_AGAIN_S if hindrance == told else _TOLD_AFTER_S):
                told, told_at = hindrance, time.monotonic()
                self._tell(child.command.name, f"Not ready yet: {hindrance.rstrip('.')}.")
            await asyncio.sleep(_LOOK_S)
        child.check()  # whoever answered may be somebody else on its port
        self.is_ready.set()
        while True:
            child.check()
            await asyncio.sleep(_LOOK_S)
