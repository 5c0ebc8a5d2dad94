"""The intake: takes jobs while the gate is open, keeps many in hand, and stops without losing one.

`run` is one task of the service. It must never look into a job; that is `settling`'s.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog

from dam.errors import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dam.queue.port import Delivery, JobQueue
    from orchestrator.outages import Gate
    from orchestrator.settings import OrchestratorSettings
    from orchestrator.settling import Settler

_log = structlog.get_logger()

_LAST_WORDS_S: Final = 10.0
"""How long rows and endings may take once the work has been called off."""
_QUEUE_PAUSE_S: Final = 2.0


class Consumer:
    """One intake of jobs. `stop` ends it for good; a gate that shuts only interrupts it."""

    def __init__(
        self,
        queue: JobQueue,
        settler: Settler,
        gate: Gate,
        settings: OrchestratorSettings,
        stop: asyncio.Event,
    ) -> None:
        self._queue = queue
        self._settler = settler
        self._gate = gate
        self._prefetch = settings.prefetch
        self._drain_s = settings.drain_s
        self._stop = stop
        self._in_hand: set[asyncio.Task[None]] = set()
        self._suspect: Delivery | None = None
        self._abandon = asyncio.Event()

    async def run(self) -> None:
        """Take and settle jobs until `stop` is set and everything in hand has ended."""
        try:
            while not self._stop.is_set():
                await self._until_stop(self._gate.reopen())
                if self._stop.is_set():
                    break
                await self._take_jobs()
                await self._empty_hands()
                if self._suspect is not None:
                    self._start(self._suspect, alone=True)
                    self._suspect = None
                    await self._empty_hands()
        finally:
            for task in self._in_hand:
                task.cancel()
            await asyncio.gather(*self._in_hand, return_exceptions=True)

    async def _take_jobs(self) -> None:
        """Start jobs until a stop, an outage, or one that must run alone: that one waits as `_suspect`."""
        intake = asyncio.create_task(self._intake())
        ends = {asyncio.create_task(self._stop.wait()), asyncio.create_task(self._gate.wait_shut())}
        try:
            await asyncio.wait({intake, *ends}, return_when=asyncio.FIRST_COMPLETED)
            intake.cancel()
            await asyncio.wait({intake})
            if not intake.cancelled():
                intake.result()
        finally:
            for task in (intake, *ends):
                task.cancel()
            await asyncio.gather(intake, *ends, return_exceptions=True)

    async def _intake(self) -> None:
        try:
            async with self._queue.consume(self._prefetch) as deliveries:
                async for delivery in deliveries:
                    if self._settler.must_run_alone(delivery):
                        # Kept here, not returned: a call-off while the intake closes must not lose it.
                        self._suspect = delivery
                        return
                    self._start(delivery)
        except QueueUnavailableError as error:
            _log.warning("intake.queue_unavailable", reason=str(error), pause_s=_QUEUE_PAUSE_S)
            await asyncio.sleep(_QUEUE_PAUSE_S)

    def _start(self, delivery: Delivery, *, alone: bool = False) -> None:
        task = asyncio.create_task(self._settler.settle(delivery, self._abandon, alone=alone))
        self._in_hand.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # The delivery has no ending; it comes back when this process stops.
            _log.error("job.not_settled", exc_info=error)

    async def _empty_hands(self) -> None:
        """Wait for what is in hand: for all of it in calm, in an outage only for what is being written."""
        finish = asyncio.create_task(self._finish())
        shut = asyncio.create_task(self._gate.wait_shut())
        drained = asyncio.create_task(self._drain())
        overdue = asyncio.create_task(self._stop_after(self._drain_s + _LAST_WORDS_S))
        try:
            await asyncio.wait({finish, shut, drained}, return_when=asyncio.FIRST_COMPLETED)
            self._abandon.set()
            await asyncio.wait({finish, overdue}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._abandon.clear()
            for task in (finish, shut, drained, overdue):
                task.cancel()
            await asyncio.gather(finish, shut, drained, overdue, return_exceptions=True)

    async def _finish(self) -> None:
        if self._in_hand:
            await asyncio.wait(self._in_hand)

    async def _drain(self) -> None:
        await self._stop.wait()
        _log.info("intake.draining", in_hand=len(self._in_hand), deadline_s=self._drain_s)
        await asyncio.sleep(self._drain_s)

    async def _stop_after(self, seconds: float) -> None:
        await self._stop.wait()
        await asyncio.sleep(seconds)

    async def _until_stop(self, work: Coroutine[Any, Any, None]) -> None:
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            working.cancel()
            stopping.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)
