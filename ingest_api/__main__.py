"""`python -m ingest_api`: reads the settings and serves until a signal; uploads in flight are finished."""

from __future__ import annotations

import sys

import uvicorn
from pydantic import ValidationError

from dam import logs
from ingest_api.app import create_app
from ingest_api.settings import IngestSettings


def main() -> None:
    """Serve."""
    try:
        settings = IngestSettings()
    except ValidationError as error:
        sys.exit(f"A setting is wrong; nothing was started.\n{error}")
    logs.configure(settings.log_level, json=settings.log_json)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=settings.stop_timeout_s,
    )


if __name__ == "__main__":
    main()
