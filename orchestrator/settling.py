"""Settles one delivery: work, row, ending, in that order.

Called by `consuming` for every delivery. It must never end a delivery before its outcome is durable, nor let
an error out: whatever happens becomes one of the endings.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import structlog

from dam.catalogue.changes import Stale
from dam.errors import DamError, QueueUnavailableError, StoreUnavailableError
from orchestrator import decisions, rows
from orchestrator.decisions import Acknowledge, DeadLetter, Decision, Fail, Release, Retry, Situation
from orchestrator.errors import BentoLostError
from orchestrator.failing import record_failure
from orchestrator.messages import read_job

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dam.jobs import EnrichJob
    from dam.queue.port import Delivery
    from dam.store.port import ObjectStore
    from orchestrator.committing import Committer, Durable
    from orchestrator.enriching import Enricher, Enrichment
    from orchestrator.metrics import Metrics
    from orchestrator.outages import Gate

_log = structlog.get_logger()

_MOST_SUSPECTS: Final = 10_000


class AbandonedError(DamError):
    """The work was called off: a stop, or an outage that another job ran into."""


class Settler:
    """What all deliveries share. `max_attempts` as in the settings."""

    def __init__(  # noqa: PLR0913 - the parts of the service, put together in one place
        self,
        store: ObjectStore,
        enricher: Enricher,
        committer: Committer,
        gate: Gate,
        metrics: Metrics,
        *,
        max_attempts: int,
    ) -> None:
        self._store = store
        self._enricher = enricher
        self._committer = committer
        self._gate = gate
        self._metrics = metrics
        self._max_attempts = max_attempts
        # Bodies in hand when the Bento's connection broke, and how often: one of them may be the cause.
        self._suspects: OrderedDict[bytes, int] = OrderedDict()

    def must_run_alone(self, delivery: Delivery) -> bool:
        """Whether nothing else may be in hand while it runs."""
        lost = self._suspects.get(_digest(delivery), 0)
        return decisions.runs_alone(delivery.redeliveries, lost)

    async def settle(self, delivery: Delivery, abandon: asyncio.Event, *, alone: bool = False) -> None:
        """Work on it and end it; once `abandon` is set give it back, unless its row is being written."""
        with self._metrics.in_flight.track_inprogress(), self._metrics.seconds.time():
            decision = await self._decide(delivery, abandon, alone=alone)
            await self._end(delivery, decision)

    async def _decide(self, delivery: Delivery, abandon: asyncio.Event, *, alone: bool) -> Decision:
        job: EnrichJob | None = None
        try:
            job = read_job(delivery.body)
            with structlog.contextvars.bound_contextvars(asset_id=job.asset_id):
                return decisions.give_up_on(delivery.redeliveries) or await self._work(job, delivery, abandon)
        except AbandonedError:
            return Release(outage=False)
        except Exception as error:  # noqa: BLE001 - `decisions` knows them all; the unknown is a job's own failure
            decision = await self._judge(error, delivery, alone=alone)
        if isinstance(decision, Fail) and job is not None:
            return await self._fail(job, delivery, decision)
        return decision

    async def _work(self, job: EnrichJob, delivery: Delivery, abandon: asyncio.Event) -> Decision:
        if (delivery.redeliveries or delivery.attempts) and await self._is_done(job):
            return Acknowledge()
        made = await _unless(abandon, self._enricher.enrich(job))
        outcome = await self._committer.commit(rows.ready(job, made, delivery.attempts + 1))
        self._report(outcome)
        self._gate.confirm()
        self._suspects.pop(_digest(delivery), None)
        return Acknowledge()

    async def _is_done(self, job: EnrichJob) -> bool:
        """Whether its row was written before its worker died: that spares the models' work."""
        row = await self._committer.current(job.asset_id)
        return row is not None and row.change_id == job.change_id

    async def _judge(self, error: Exception, delivery: Delivery, *, alone: bool) -> Decision:
        if isinstance(error, BentoLostError):
            self._suspect(delivery)
        situation = Situation(
            attempts=delivery.attempts,
            max_attempts=self._max_attempts,
            alone=alone,
            store_up=not isinstance(error, StoreUnavailableError) or await self._store_is_up(),
        )
        decision = decisions.decide(error, situation)
        known = isinstance(error, DamError)
        _log.warning(
            "job.failed" if known else "job.crashed", reason=str(error), decision=decision, exc_info=not known
        )
        if isinstance(decision, Release) and decision.outage:
            self._gate.shut(str(error))
        return decision

    async def _fail(self, job: EnrichJob, delivery: Delivery, failure: Fail) -> Decision:
        """Write the `failed` row. What goes wrong with that is judged like anything else."""
        try:
            attempts = delivery.attempts + 1
            self._report(await record_failure(self._committer, job, failure.code, failure.message, attempts))
        except Exception as error:  # noqa: BLE001 - as in `_decide`
            return await self._judge(error, delivery, alone=False)
        return Acknowledge()

    async def _end(self, delivery: Delivery, decision: Decision) -> None:
        try:
            match decision:
                case Acknowledge():
                    await delivery.ack()
                case Retry(delay_s):
                    await delivery.retry(delay_s)
                case Release(delay_s=delay_s):
                    await delivery.release(delay_s)
                case DeadLetter(code, message) | Fail(code, message):
                    await delivery.dead_letter(code, message)
        except QueueUnavailableError as error:
            # It comes back; what is written already is then only acknowledged.
            _log.warning("job.not_ended", decision=decision, reason=str(error))
        self._metrics.endings.labels(type(decision).__name__.lower()).inc()

    def _report(self, outcome: Durable) -> None:
        if isinstance(outcome, Stale):
            _log.info("job.superseded", revision=outcome.current and outcome.current.revision)
        else:
            _log.info("job.done", row_status=outcome.row.status, revision=outcome.row.revision)

    def _suspect(self, delivery: Delivery) -> None:
        body = _digest(delivery)
        self._suspects[body] = self._suspects.get(body, 0) + 1
        self._suspects.move_to_end(body)
        if len(self._suspects) > _MOST_SUSPECTS:
            self._suspects.popitem(last=False)

    async def _store_is_up(self) -> bool:
        try:
            await self._store.ping()
        except StoreUnavailableError:
            return False
        return True


def _digest(delivery: Delivery) -> bytes:
    return hashlib.sha256(delivery.body).digest()


async def _unless(abandon: asyncio.Event, work: Coroutine[Any, Any, Enrichment]) -> Enrichment:
    """Await `work`, or cancel it and raise `AbandonedError` when `abandon` is set first."""
    working = asyncio.create_task(work)
    calling_off = asyncio.create_task(abandon.wait())
    try:
        await asyncio.wait({working, calling_off}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise AbandonedError("The work was called off.")
    finally:
        calling_off.cancel()
        working.cancel()
        await asyncio.gather(working, calling_off, return_exceptions=True)
