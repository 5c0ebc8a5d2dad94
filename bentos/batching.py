"""Adaptive batching: one lane a kind of work, which runs what is waiting together.

Used by `engine`. A lane waits for company only while a request that can still join is being prepared, or for
a moment when callers that were just answered may return; where there is no company, nobody waits. It must
stay bounded, never let one item fail its neighbours, and never work for somebody who has gone. BentoML's own
dispatcher does none of this: docs/adr/0001-batching.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = structlog.get_logger(__name__)
_PACE_MEMORY: Final = 0.7  # how much of the measured pace a new batch leaves standing
_LONGEST_RETRY_S: Final = 60
_LINGER: Final = 0.2
"""The moment for callers to return, as a share of what an item of their batch took: it costs no more."""


class OverloadedError(Exception):
    """The lane cannot take this now. `waited` tells whether it was taken first and then waited too long."""

    def __init__(self, lane: str, retry_after_s: int, *, waited: bool = False) -> None:
        super().__init__(f"Too much {lane} work is waiting; try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s
        self.waited = waited


class Recorder(Protocol):
    """What a lane tells the metrics; sizes in items, times in seconds."""

    def batch(self, lane: str, size: int, seconds: float) -> None: ...  # noqa: D102 - as the class says
    def waited(self, lane: str, seconds: float) -> None: ...  # noqa: D102
    def depth(self, lane: str, items: int) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a lane: items a batch, items under way, and two waits in seconds."""

    max_batch: int
    max_wait_s: float
    max_requests: int
    queue_timeout_s: float


@dataclass(slots=True)
class _Entry(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]
    queued_at: float


class Lane(Generic[Item, Result]):
    """`infer` takes a list of items and gives as many results; it runs in `worker`, one batch at a time."""

    def __init__(  # noqa: PLR0913 - a lane is what these six make it; the last three by name
        self,
        name: str,
        infer: Callable[[Sequence[Item]], Sequence[Result]],
        limits: Limits,
        *,
        worker: Executor,
        preparers: Executor,
        recorder: Recorder,
    ) -> None:
        self.name = name
        self._infer = infer
        self._limits = limits
        self._worker = worker
        self._preparers = preparers
        self._recorder = recorder
        self._waiting: deque[_Entry[Item, Result]] = deque()
        self._admitted = 0
        self._preparing = 0
        self._pace_s = 0.0
        self._crowd = 0  # how many were about when the last batch ended
        self._linger_until = 0.0
        self._changed = asyncio.Event()
        self._closing = False

    @contextmanager
    def admit(self) -> Iterator[None]:
        """A place in the lane, taken before a body is read. Raises OverloadedError."""
        expected_s = self._admitted * self._pace_s
        if (
            self._closing
            or self._admitted >= self._limits.max_requests
            or expected_s > self._limits.queue_timeout_s
        ):
            raise OverloadedError(self.name, self._retry_after_s())
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1
            self._changed.set()

    async def ask(self, prepare: Callable[[], Item]) -> Result:
        """Prepare an item on a thread and wait for its batch. Raises what either did, or OverloadedError."""
        loop = asyncio.get_running_loop()
        self._preparing += 1
        try:
            item = await loop.run_in_executor(self._preparers, prepare)
        finally:
            self._preparing -= 1
            self._changed.set()
        entry = _Entry[Item, Result](item, loop.create_future(), loop.time())
        self._waiting.append(entry)
        self._recorder.depth(self.name, len(self._waiting))
        return await entry.answer  # cancelled with its caller, and then skipped

    async def run(self) -> None:
        """Serve until `close` was called and nothing is left."""
        while True:
            batch = await self._collect()
            if batch:
                await self._answer(batch)
            elif self._closing and not self._admitted:
                return

    def close(self) -> None:
        """Take nothing new; `run` ends once all that was admitted is answered."""
        self._closing = True
        self._changed.set()

    async def _collect(self) -> list[_Entry[Item, Result]]:
        """The next batch; empty where the lane's state changed and nothing is waiting."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            self._changed.clear()
            if not (self._closing and not self._admitted):
                await self._changed.wait()
            if not self._waiting:
                return []
        deadline = loop.time() + self._limits.max_wait_s
        while len(self._waiting) < self._limits.max_batch:
            until = deadline if self._preparing else min(deadline, self._linger_until)
            if len(self._waiting) >= self._crowd and not self._preparing:
                break
            self._changed.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                break
        return self._take(loop.time())

    def _take(self, now: float) -> list[_Entry[Item, Result]]:
        """The oldest that somebody still waits for; those that waited too long are told so."""
        batch: list[_Entry[Item, Result]] = []
        while self._waiting and len(batch) < self._limits.max_batch:
            entry = self._waiting.popleft()
            if entry.answer.done():
                continue
            if now - entry.queued_at > self._limits.queue_timeout_s:
                entry.answer.set_exception(OverloadedError(self.name, self._retry_after_s(), waited=True))
                continue
            self._recorder.waited(self.name, now - entry.queued_at)
            batch.append(entry)
        self._recorder.depth(self.name, len(self._waiting))
        return batch

    async def _answer(self, batch: list[_Entry[Item, Result]]) -> None:
        try:
            results = await self._infer_timed([entry.item for entry in batch])
        except Exception as error:  # noqa: BLE001 - whatever a model raises belongs to the callers
            await self._answer_apart(batch, error)
            return
        for entry, result in zip(batch, results, strict=True):
            if not entry.answer.done():
                entry.answer.set_result(result)

    def _expect_return(self, answered: int, seconds: float) -> None:
        """For clients that ask again and again: else one half of them always waits for the other half."""
        self._crowd = answered + len(self._waiting)
        self._linger_until = asyncio.get_running_loop().time() + _LINGER * seconds / answered

    async def _answer_apart(self, batch: list[_Entry[Item, Result]], error: Exception) -> None:
        """A batch failed: run its items one by one, so that only the culprit fails."""
        _log.warning("batch.failed", lane=self.name, size=len(batch), error=repr(error))
        if len(batch) == 1:
            if not batch[0].answer.done():
                batch[0].answer.set_exception(error)
            return
        for entry in batch:
            if not entry.answer.done():
                await self._answer([entry])

    async def _infer_timed(self, items: list[Item]) -> Sequence[Result]:
        loop = asyncio.get_running_loop()
        started = perf_counter()  # uvloop's own clock counts whole milliseconds
        results = await loop.run_in_executor(self._worker, self._infer, items)
        if len(results) != len(items):
            raise RuntimeError(f"The model gave {len(results)} results for {len(items)} items.")
        seconds = perf_counter() - started
        self._recorder.batch(self.name, len(items), seconds)
        self._expect_return(len(items), seconds)
        pace = seconds / len(items)
        self._pace_s = self._pace_s * _PACE_MEMORY + pace * (1 - _PACE_MEMORY) if self._pace_s else pace
        return results

    def _retry_after_s(self) -> int:
        return min(max(1, ceil(self._admitted * self._pace_s)), _LONGEST_RETRY_S)
