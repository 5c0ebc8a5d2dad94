"""How much waits in the queue, as a number that an autoscaler can read.

`run` is one task of the service, beside the intake. It only looks, and must never stop the work: a broker
that does not answer leaves the last numbers as they were, marked by their age.
"""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from dam.errors import QueueUnavailableError

if TYPE_CHECKING:
    from dam.queue.port import JobQueue
    from orchestrator.metrics import Metrics

_log = structlog.get_logger()

LOOK_EVERY_S: Final = 10.0
"""An autoscaler asks every fifteen seconds."""


class Backlog:
    """One for the service."""

    def __init__(
        self, queue: JobQueue, metrics: Metrics, stop: asyncio.Event, *, every_s: float = LOOK_EVERY_S
    ) -> None:
        self._queue = queue
        self._metrics = metrics
        self._stop = stop
        self._every_s = every_s

    async def run(self) -> None:
        """Look at the queue now and then, until `stop` is set."""
        while not self._stop.is_set():
            try:
                depth = await self._queue.depth()
            except QueueUnavailableError as error:
                _log.debug("backlog.unknown", reason=str(error))
            else:
                for state, count in dataclasses.asdict(depth).items():
                    self._metrics.backlog.labels(state).set(count)
                self._metrics.backlog_seen.set_to_current_time()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._every_s)
