"""Long load on the whole pipeline: `python -m benchmarks.soak [--minutes 10]`.

The real processes of `dam demo`, with the Bento on its demo models, on radosgw and RabbitMQ. 200 clients
upload, half through the gallery and half at ingest, each a new picture once its last one is found; 50 browse
and search meanwhile. Wanted: no answer but success, or 429 and 503 with `Retry-After`; memory of each service
flat; a queue that drains afterwards, and every accepted picture enriched or failed with a reason.

The slope of a service's memory is that of a line through its samples without the first third, in which
caches fill. Exit status 1 where something is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import numpy as np

from benchmarks.resident import Trend
from benchmarks.soak_clients import Listener, Reader, Tally, Uploader
from dam import logs, routes
from dam.catalogue.table import Catalogue
from dam.local.pictures import SAMPLES, read_truth
from dam.local.services import running_services
from dam.queue.opening import open_queue
from dam.settings import DamSettings
from tests.services.rabbitmq import RabbitMq
from tests.services.radosgw import Radosgw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.catalogue.row import Status
    from dam.local.addresses import Addresses

UPLOADERS: Final = 200
READERS: Final = 50
MINUTES: Final = 10.0
GROWTH: Final = 0.05
"""Share of its memory that a service may grow over the time its slope is taken from."""
_DRAIN_S: Final = 300.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=120)
_SEED: Final = 20261126


@dataclass(frozen=True, slots=True)
class Drained:
    """After how long, what was left in the queue, and what became of the accepted assets."""

    seconds: float
    left: int
    statuses: Counter[Status]
    without_row: int


async def soak(settings: DamSettings, minutes: float) -> dict[str, Any]:
    """The figures of one run on running brokers."""
    async with AsyncExitStack() as stack:
        addresses, children = await stack.enter_async_context(running_services(settings))
        trend = Trend({child.command.name: child.pid for child in children})
        async with trend.over():
            tally = await load(addresses, minutes * 60)
            drained = await drain(settings, tally.accepted)
        for child in children:
            child.check()
    return {
        "minutes": minutes,
        "accepted": len(tally.accepted),
        "enriched": drained.statuses["ready"],
        "failed": drained.statuses["failed"],
        "lost": drained.without_row,
        "answers": dict(sorted(tally.answers.items())),
        "errors": dict(tally.errors),
        "until_found_s": _percentiles(tally.until_found_s),
        "took_ms": {name: _percentiles(times) for name, times in sorted(tally.took_ms.items())},
        "drained_s": drained.seconds,
        "queue_depth_after": drained.left,
        "memory": trend.report(),
    }


async def load(addresses: Addresses, seconds: float) -> Tally:
    """All clients at once, for so long; then every picture that was sent is waited for."""
    tally, chance = Tally(), random.Random(_SEED)  # noqa: S311 - which picture is looked at
    truth = read_truth(SAMPLES) or {}
    pictures = [(SAMPLES / name).read_bytes() for name in truth if name.endswith(".jpg")]
    connector = aiohttp.TCPConnector(limit=0)
    async with AsyncExitStack() as stack:
        gallery, ingest = [
            await stack.enter_async_context(
                aiohttp.ClientSession(url, connector=connector, connector_owner=False, timeout=_TIMEOUT)
            )
            for url in (addresses.gallery, addresses.ingest)
        ]
        stack.push_async_callback(connector.close)
        listener = Listener(gallery)
        places = [(gallery, f"/api{routes.UPLOAD}"), (ingest, routes.UPLOAD)]
        numbers = count()
        clients = [
            Uploader(*places[at % 2], pictures, numbers, listener, tally).run() for at in range(UPLOADERS)
        ]
        clients += [Reader(gallery, list(truth.values()), tally, chance).run() for _ in range(READERS)]
        tasks = [asyncio.create_task(client) for client in (listener.run(tally), *clients)]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(tasks), return_exceptions=True)
        for task in done:
            task.result()  # a client's own mistake
    return tally


async def drain(settings: DamSettings, ids: set[str]) -> Drained:
    """Wait until the queue is empty and every asset has its row, or until time is up."""
    queue = await open_queue(settings)
    catalogue = await Catalogue.open(settings)
    started = time.perf_counter()
    try:
        while True:
            rows = await catalogue.current(ids)
            depth = await queue.depth()
            left = depth.ready + depth.in_flight + depth.delayed
            seconds = time.perf_counter() - started
            if (not left and len(rows) == len(ids)) or seconds > _DRAIN_S:
                statuses = Counter(row.status for row in rows.values())
                return Drained(round(seconds, 1), left, statuses, len(ids) - len(rows))
            await asyncio.sleep(0.5)
    finally:
        await catalogue.close()
        await queue.close()


def judge(figures: Mapping[str, Any]) -> dict[str, bool]:
    """Which wishes were met."""
    return {
        "no_errors": not figures["errors"],
        "nothing_lost": not figures["lost"],
        "drained": not figures["queue_depth_after"],
        "flat": all(service["growth"] <= GROWTH for service in figures["memory"].values()),
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return {"count": len(values), "p50": round(p50, 2), "p95": round(p95, 2), "p99": round(p99, 2)}


def measure(minutes: float) -> dict[str, Any]:
    """Start brokers and services, run, and judge."""
    with tempfile.TemporaryDirectory() as data, ExitStack() as stack:
        # The services inherit it; this is the one way to give them credentials.
        os.environ["DAM_DATA_DIR"] = data
        radosgw = stack.enter_context(Radosgw())
        os.environ["DAM_QUEUE_URL"] = stack.enter_context(RabbitMq()).new_vhost()
        os.environ.update(radosgw.environment(radosgw.create_bucket()))
        figures = asyncio.run(soak(DamSettings(), minutes))
    return {**figures, "met": judge(figures)}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--quick", action="store_const", dest="minutes", const=2.0, help="two minutes")
    minutes = parser.parse_args().minutes
    logs.configure("ERROR", json=False)
    figures = measure(minutes)
    worst = max(service["growth"] for service in figures["memory"].values())
    result = {
        "benchmark": "soak",
        "clients": {"upload": UPLOADERS, "browse": READERS},
        "ratio_of": "the largest growth of a service's memory over what is allowed",
        "ratio": round(worst / GROWTH, 3),
        **figures,
    }
    print(json.dumps(result))
    return 0 if all(figures["met"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
