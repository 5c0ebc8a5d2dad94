"""Puts the service together, runs it until it is told to stop, and takes it apart.

Called by the entry point. Order of a stop: intake, work in hand, queue, catalogue, store, Bento.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from dam.catalogue.table import Catalogue
from dam.queue.opening import open_queue
from dam.store.opening import open_store
from orchestrator.backlog import Backlog
from orchestrator.committing import Committer
from orchestrator.consuming import Consumer
from orchestrator.deadletters import DeadLetters
from orchestrator.enriching import Enricher
from orchestrator.health import serve_health
from orchestrator.inference import Bento
from orchestrator.metrics import Metrics
from orchestrator.opening import open_patiently
from orchestrator.outages import Gate
from orchestrator.settling import Settler

if TYPE_CHECKING:
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore
    from orchestrator.settings import OrchestratorSettings

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the work needs; opened and closed by somebody else."""

    store: ObjectStore
    catalogue: Catalogue
    queue: JobQueue
    bento: Bento
    gate: Gate
    metrics: Metrics


async def run(settings: OrchestratorSettings, stop: asyncio.Event) -> None:
    """Consume jobs until `stop` is set. Raises SettingsError before anything is taken."""
    async with AsyncExitStack() as stack:
        metrics = Metrics()
        bento = await stack.enter_async_context(Bento(settings))
        store = await open_patiently("store", lambda: open_store(settings), stop)
        stack.push_async_callback(store.close)
        gate = Gate(partial(probe, store, bento))
        port = await stack.enter_async_context(serve_health(settings, gate, metrics))
        _log.info("orchestrator.started", store=store.url, bento=settings.bento_url, health_port=port)
        catalogue = await open_patiently("catalogue", lambda: Catalogue.open(settings), stop)
        stack.push_async_callback(catalogue.close)
        queue = await open_patiently("queue", lambda: open_queue(settings), stop)
        stack.push_async_callback(queue.close)
        await work(Parts(store, catalogue, queue, bento, gate, metrics), settings, stop)
    _log.info("orchestrator.stopped")


async def probe(store: ObjectStore, bento: Bento) -> None:
    """Raise the reason why no job can be worked on now."""
    await store.ping()
    await bento.ping()


async def work(parts: Parts, settings: OrchestratorSettings, stop: asyncio.Event) -> None:
    """Settle jobs and dead letters until `stop` is set and what is in hand has ended."""
    committer = Committer(parts.catalogue, linger_s=settings.commit_linger_s)
    settler = Settler(
        parts.store,
        Enricher(parts.store, parts.bento, settings),
        committer,
        parts.gate,
        parts.metrics,
        max_attempts=settings.max_attempts,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(Consumer(parts.queue, settler, parts.gate, settings, stop).run())
        group.create_task(DeadLetters(parts.queue, committer, stop).run())
        group.create_task(Backlog(parts.queue, parts.metrics, stop).run())


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT ask for a graceful stop; a second one is no more urgent than the first."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
