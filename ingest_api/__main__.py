"""`python -m ingest_api`: reads the settings and serves until a signal; uploads in flight are finished."""

from __future__ import annotations

# ruff: noqa: E402 - the allocator is set up before anything starts a thread
from dam import memory

memory.hold_back()
memory.do_without("rich")  # structlog loads it for its colours: 4 MB

import asyncio
import contextlib
import sys

import uvicorn
import uvloop
from pydantic import ValidationError

from dam import logs
from dam.errors import AccessError, SettingsError
from dam.heads import BoundedHeads
from dam.routes import KEEP_ALIVE_S
from dam.settings import explain
from ingest_api.app import create_app, open_early
from ingest_api.settings import IngestSettings


async def serve(settings: IngestSettings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `SettingsError` before anything listens."""
    app = create_app(settings)
    await open_early(app, settings.host)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedHeads,
        lifespan="on",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.stop_timeout_s,
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    """Read the settings and serve."""
    try:
        settings = IngestSettings()
        logs.configure(settings.log_level, json=settings.log_json)
        with (
            contextlib.suppress(KeyboardInterrupt),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(serve(settings))
    except (AccessError, SettingsError, ValidationError) as error:
        reason = explain(error) if isinstance(error, ValidationError) else error
        sys.exit(f"A setting is wrong; nothing was started. {reason}")


if __name__ == "__main__":
    main()
