"""Answers `/healthz`, `/readyz` and `/metrics`; nothing else, and nothing that costs anything.

Opened by `running`. It must never touch the work.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from dam import routes
from dam.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from orchestrator.metrics import Metrics
    from orchestrator.outages import Gate
    from orchestrator.settings import OrchestratorSettings


@asynccontextmanager
async def serve_health(settings: OrchestratorSettings, gate: Gate, metrics: Metrics) -> AsyncIterator[int]:
    """Serve while the context is open; yields the port (a free one where the setting is 0)."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_: web.Request) -> web.Response:
        if gate.is_open:
            return web.json_response({"status": "ready"})
        return web.json_response({"status": "waiting", "reason": gate.reason}, status=503)

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4"})

    app = web.Application()
    app.add_routes(
        [web.get(routes.LIVE, live), web.get(routes.READY, ready), web.get(routes.METRICS, numbers)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await _listen(runner, settings)
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: OrchestratorSettings) -> None:
    host, port = settings.orchestrator_host, settings.orchestrator_port
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise SettingsError(
            f"Health cannot be served on {host}:{port} ({error.strerror}). Set DAM_ORCHESTRATOR_PORT "
            "to a free port, or to 0 for any."
        ) from error
