"""Services that only say how they are, and one round of looks at a machine."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from dam import routes
from dam.status import StatusSettings, Watch, open_parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.status import Reading

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""
URLS = ("bento_url", "ingest_url", "orchestrator_url", "gallery_url")


@contextlib.asynccontextmanager
async def standing(status: int = 200, body: object = None, *, metrics: str = "") -> AsyncIterator[str]:
    """The URL of a service whose readiness is this answer; None hangs."""

    async def ready(_: web.Request) -> web.Response:
        if not status:
            await asyncio.sleep(600)
        return web.json_response(body, status=status)

    async def numbers(_: web.Request) -> web.Response:
        return web.Response(text=metrics)

    app = web.Application()
    app.add_routes([web.get(routes.READY, ready), web.get(routes.METRICS, numbers)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def settings_of(folder: Path, **fields: Any) -> StatusSettings:
    """A machine below `folder`, whose services are nowhere unless they are named."""
    known = {"data_dir": folder, **dict.fromkeys(URLS, NOWHERE), **fields}
    return StatusSettings.model_validate(known)


async def look(settings: StatusSettings) -> dict[str, Reading]:
    """One round; no secret may be in what it tells."""
    async with open_parts(settings) as parts:
        watch = Watch(parts, settings.status_timeout_s, settings.secrets())
        await watch.look()
    readings = watch.readings()
    for secret in settings.secrets():
        assert secret not in str(readings)
    return readings
