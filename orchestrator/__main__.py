"""Entry point: `python -m orchestrator`. Builds the settings and runs the service."""

from __future__ import annotations

import asyncio
import sys

from dam import memory

memory.hold_back()
memory.hold_back_tables()

import structlog  # noqa: E402 - the allocator is set up before anything starts a thread
import uvloop  # noqa: E402 - as above
from pydantic import ValidationError  # noqa: E402 - as above

from dam import logs  # noqa: E402 - as above
from dam.errors import DamError  # noqa: E402 - as above
from dam.settings import explain  # noqa: E402 - as above
from orchestrator.running import run, stop_on_signals  # noqa: E402 - as above
from orchestrator.settings import OrchestratorSettings  # noqa: E402 - as above


async def serve(settings: OrchestratorSettings) -> None:
    """Run until a signal asks for a stop."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    try:
        await run(settings, stop)
    except DamError:
        if not stop.is_set():  # else it was waiting for something to come up, and was told not to
            raise


def main() -> int:
    """Exit status: 0 after a graceful stop, 1 when it could not start or go on, 2 on wrong settings."""
    try:
        settings = OrchestratorSettings()
    except ValidationError as error:
        sys.stderr.write(f"The settings are wrong; nothing was started. {explain(error)}\n")
        return 2
    logs.configure(settings.log_level, json=settings.log_json)
    try:
        uvloop.run(serve(settings))
    except DamError as error:
        structlog.get_logger().error("orchestrator.failed", reason=str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
