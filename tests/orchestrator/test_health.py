"""What the orchestrator says of itself over HTTP."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import httpx
import pytest

from dam.errors import QueueUnavailableError, SettingsError
from dam.queue.port import QueueDepth
from orchestrator.backlog import Backlog
from orchestrator.health import serve_health
from orchestrator.metrics import Metrics
from orchestrator.outages import Gate
from orchestrator.settings import OrchestratorSettings
from tests.orchestrator.rig import draw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.queue.port import JobQueue
    from tests.orchestrator.rig import Rig


@asynccontextmanager
async def serving(gate: Gate, metrics: Metrics) -> AsyncIterator[httpx.AsyncClient]:
    settings = OrchestratorSettings(orchestrator_port=0)
    async with (
        serve_health(settings, gate, metrics) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
        yield client


async def test_it_is_ready_while_its_gate_is_open(rig: Rig) -> None:
    """Alive all the time; during an outage `/readyz` answers 503 with the reason."""
    async with rig.orchestrator(), serving(rig.gates[0], rig.metrics) as client:
        await rig.until(lambda: rig.gates[0].is_open)
        ready = await client.get("/readyz")
        await rig.bento.stop()
        await rig.upload(draw(1))
        await rig.paused()
        waiting = await client.get("/readyz")
        alive = await client.get("/healthz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    assert (waiting.status_code, waiting.json()["status"]) == (503, "waiting")
    assert rig.bento.url in waiting.json()["reason"]
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})


async def test_metrics_count_deliveries_by_ending(rig: Rig) -> None:
    """Prometheus' text: what was done, what is in hand, and how long jobs took."""
    rig.bento.faults[draw(3)] = "500"
    async with rig.orchestrator(max_attempts=2), serving(rig.gates[0], rig.metrics) as client:
        for number in range(4):
            await rig.upload(draw(number))
        await rig.settled()
        rig.bento.delay_s = 0.5
        await rig.upload(draw(5))
        await rig.until(lambda: rig.bento.in_flight > 0)
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'dam_orchestrator_deliveries_total{ending="acknowledge"} 3.0' in lines
    assert 'dam_orchestrator_deliveries_total{ending="retry"} 1.0' in lines
    assert 'dam_orchestrator_deliveries_total{ending="deadletter"} 1.0' in lines
    assert "dam_orchestrator_in_flight 1.0" in lines
    assert "dam_orchestrator_job_seconds_count 5.0" in lines


async def test_metrics_tell_how_much_waits_in_the_queue(rig: Rig) -> None:
    """For an autoscaler; a broker that cannot say leaves the last numbers, and the work goes on."""
    looked: list[QueueDepth | None] = [QueueDepth(7, 2, 1, 0, 0), None, QueueDepth(3, 0, 0, 0, 0)]
    seen: list[str] = []
    stop = asyncio.Event()

    class Queue:
        """Only says how deep it is, or that nobody knows."""

        async def depth(self) -> QueueDepth:
            seen.append(rig.metrics.render().decode())
            if not looked:
                stop.set()
                return QueueDepth(0, 0, 0, 0, 0)
            depth = looked.pop(0)
            if depth is None:
                raise QueueUnavailableError("The broker is away.")
            return depth

    async with asyncio.timeout(10):
        await Backlog(cast("JobQueue", Queue()), rig.metrics, stop, every_s=0.01).run()
    ready = [re.findall(r'dam_queue_messages{state="ready"} (\d+)', text) for text in seen]
    assert ready == [[], ["7"], ["7"], ["3"]]


async def test_a_port_that_is_taken_is_a_setting_to_mend() -> None:
    """The sentence names the address and the variable."""

    async def probe() -> None:
        return

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = OrchestratorSettings(orchestrator_port=port)
        with pytest.raises(SettingsError, match=rf"127\.0\.0\.1:{port} .*DAM_ORCHESTRATOR_PORT"):
            async with serve_health(settings, Gate(probe), Metrics()):
                pass
