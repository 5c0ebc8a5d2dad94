"""Looks at every part, once or again and again; one that hangs or fails keeps no other from being seen."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dam.errors import DamError
from dam.status.readings import Reading, State
from dam.veil import veil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from dam.status.readings import Look

_AGAIN_S: Final = 1.0
_HEAD_START_S: Final = 0.5
_LETTING_GO_S: Final = 2.0
_NOT_YET: Final = Reading(State.UNKNOWN, "Looking …")


class Watch:
    """What was seen last of each part."""

    def __init__(
        self,
        parts: Mapping[str, Look],
        deadline_s: float,
        secrets: Sequence[str] = (),
        timed: Collection[str] = (),
    ) -> None:
        self._parts = parts
        self._timed = frozenset(timed)
        self._deadline_s = deadline_s
        self._secrets = secrets
        self._readings: dict[str, Reading] = {}
        self._began: dict[str, float] = {}

    def readings(self) -> dict[str, Reading]:
        """By part, in order; one that has not answered within its deadline is down."""
        return {name: self._read(name) for name in self._parts}

    def is_well(self) -> bool:
        """Whether every part that could be looked at is ready."""
        return all(reading.state in {State.READY, State.UNKNOWN} for reading in self.readings().values())

    async def look(self) -> None:
        """Look at all parts at once; returns when all have answered, or soon after the deadline.

        Those `timed` come a moment before the rest, whose work would be taken for their latency.
        """
        looks = {asyncio.create_task(self._look(name)): name for name in self._timed}
        if looks:
            await asyncio.wait(looks, timeout=_HEAD_START_S)
        looks |= {asyncio.create_task(self._look(name)): name for name in self._parts.keys() - self._timed}
        _, late = await asyncio.wait(looks, timeout=self._deadline_s)
        await _let_go(late)
        for look in late:
            self._began.pop(looks[look], None)
            self._readings[looks[look]] = Reading(State.DOWN, f"No answer within {self._deadline_s:g} s.")

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look at each part again and again, each at its own pace, while the context is open."""
        loops = {asyncio.create_task(self._keep_looking(name)) for name in self._parts}
        try:
            yield
        finally:
            await _let_go(loops)

    async def _keep_looking(self, name: str) -> None:
        while True:
            await self._look(name)
            await asyncio.sleep(_AGAIN_S)

    async def _look(self, name: str) -> None:
        self._began[name] = time.monotonic()
        try:
            reading = await self._parts[name]()
        except ModuleNotFoundError as error:
            reading = Reading(State.UNKNOWN, f"Not looked at: {error.name} is not installed here.")
        except DamError as error:
            reading = Reading(State.DOWN, str(error))
        except Exception as error:  # noqa: BLE001 - a look that falls over is told, and the others go on
            reading = Reading(State.DOWN, f"It could not be looked at: {type(error).__name__}: {error}")
        self._readings[name] = self._veil(reading)
        del self._began[name]

    def _veil(self, reading: Reading) -> Reading:
        facts = {
            name: veil(value, self._secrets) if isinstance(value, str) else value
            for name, value in reading.facts.items()
        }
        return replace(reading, told=veil(reading.told, self._secrets), facts=facts)

    def _read(self, name: str) -> Reading:
        waited = time.monotonic() - self._began[name] if name in self._began else 0.0
        if waited >= self._deadline_s:
            return Reading(State.DOWN, f"No answer for {waited:.0f} s.")
        return self._readings.get(name, _NOT_YET)


async def _let_go(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_LETTING_GO_S)
