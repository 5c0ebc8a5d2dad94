"""Turns dead letters into `failed` rows, and parks those that name no asset.

`run` is one task of the service, beside the intake; it goes on while the Bento is down. A dead letter is
acknowledged only when its row is durable.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from dam.catalogue.changes import Change
from dam.errors import CatalogueUnavailableError, DamError, InvalidMessageError, QueueUnavailableError
from dam.queue.port import RETRY_DELAYS_S
from orchestrator import rows
from orchestrator.failing import record_failure
from orchestrator.messages import asset_named_in, change_id_of, read_job

if TYPE_CHECKING:
    from dam.queue.port import Delivery, JobQueue
    from orchestrator.committing import Committer

_log = structlog.get_logger()

_PREFETCH: Final = 32
_PAUSE_S: Final = 2.0
_LATER_S: Final = RETRY_DELAYS_S[2]


class DeadLetters:
    """One consumer of dead letters."""

    def __init__(self, queue: JobQueue, committer: Committer, stop: asyncio.Event) -> None:
        self._queue = queue
        self._committer = committer
        self._stop = stop

    async def run(self) -> None:
        """Record dead letters until `stop` is set."""
        while not self._stop.is_set():
            consuming = asyncio.create_task(self._consume())
            stopping = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait({consuming, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if consuming.done():
                    consuming.result()
            finally:
                consuming.cancel()
                stopping.cancel()
                await asyncio.gather(consuming, stopping, return_exceptions=True)

    async def _consume(self) -> None:
        try:
            async with self._queue.consume_dead(_PREFETCH) as letters, asyncio.TaskGroup() as group:
                async for letter in letters:
                    group.create_task(self._bury(letter))
        except QueueUnavailableError as error:
            _log.warning("dead_letters.queue_unavailable", reason=str(error), pause_s=_PAUSE_S)
            await asyncio.sleep(_PAUSE_S)

    async def _bury(self, letter: Delivery) -> None:
        code, _, message = letter.reason.partition(": ")
        code, message = code or "unknown", message or "The message was given up; no reason came with it."
        try:
            try:
                asset_id = await self._record(letter, code, message)
            except CatalogueUnavailableError as error:
                _log.warning("dead_letter.waiting", reason=str(error), delay_s=_LATER_S)
                await letter.release(_LATER_S)
            except Exception as error:  # noqa: BLE001 - no letter may stop the service: it would come back
                _log.error("dead_letter.parked", reason=str(error), exc_info=not isinstance(error, DamError))
                await letter.park(code, f"{message} {error}")
            else:
                await self._end(letter, asset_id, code, message)
        except QueueUnavailableError as error:
            _log.warning("dead_letter.not_ended", reason=str(error))

    async def _end(self, letter: Delivery, asset_id: str | None, code: str, message: str) -> None:
        if asset_id is None:
            _log.error("dead_letter.parked", reason=letter.reason)
            await letter.park(code, message)
        else:
            _log.warning("dead_letter.recorded", asset_id=asset_id, reason=letter.reason)
            await letter.ack()

    async def _record(self, letter: Delivery, code: str, message: str) -> str | None:
        """The asset that has its row now, or None where the letter names none."""
        attempts = letter.attempts + 1
        try:
            job = read_job(letter.body)
        except InvalidMessageError:
            named = asset_named_in(letter.body)
            if named is None:
                return None
            asset_id, known = named
            values = {**known, "asset_type": "image", **rows.failure(code, message, attempts)}
            change_id = change_id_of(letter.body)
            await self._committer.commit(
                Change(asset_id, change_id, 0, "failed", "failed", rows.ACTOR, values)
            )
            return asset_id
        await record_failure(self._committer, job, code, message, attempts)
        return job.asset_id
