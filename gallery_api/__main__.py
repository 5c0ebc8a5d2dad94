"""`python -m gallery_api`: reads the settings and serves until a signal; requests in flight are finished."""

from __future__ import annotations

# ruff: noqa: E402 - memory is held back before the large libraries are loaded
from gallery_api import memory

memory.hold_back()

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import uvicorn
import uvloop
from pydantic import ValidationError

from dam import logs
from dam.errors import AccessError, SettingsError
from dam.heads import BoundedHeads
from dam.routes import KEEP_ALIVE_S
from dam.settings import explain
from gallery_api.app import create_app
from gallery_api.settings import GallerySettings

if TYPE_CHECKING:
    from types import FrameType

    from gallery_api.gallery import Gallery


class _Server(uvicorn.Server):
    """Ends the event streams at a signal: they would hold the stop until its deadline."""

    def __init__(self, config: uvicorn.Config, gallery: Gallery) -> None:
        super().__init__(config)
        self._gallery = gallery
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """See `uvicorn.Server`."""
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._end_streams)

    def _end_streams(self) -> None:
        self._ending = self._loop.create_task(self._gallery.events.stop())


async def serve(settings: GallerySettings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `SettingsError` before anything listens."""
    app = create_app(settings)
    gallery: Gallery = app.state.gallery
    await gallery.open()
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
    await _Server(config, gallery).serve()


def main() -> None:
    """Read the settings and serve."""
    try:
        settings = GallerySettings()
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
