"""All parts that are looked at, in the order in which they are shown."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from anyio.lowlevel import checkpoint

from dam.status.bucket import MaintenanceLook, look_at_bucket, look_at_index
from dam.status.catalogue import CatalogueLook
from dam.status.queue import look_at_queue
from dam.status.services import look_at_service
from dam.status.sources import Sources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.status.readings import Look
    from dam.status.settings import StatusSettings

SERVICES: Final = ("bento", "ingest", "orchestrator", "gallery")
_SLOW: Final = ("dam.catalogue.storage", "dam.maintenance.runs", "dam.queue.amqp", "dam.queue.sqlite", "h11")


@asynccontextmanager
async def open_parts(settings: StatusSettings) -> AsyncIterator[dict[str, Look]]:
    """How to look at each part, by its name; nothing is reached before it is looked at."""
    hasty = settings.hasten()
    urls = settings.urls()
    await _preload()
    async with Sources(hasty) as sources:
        catalogue = CatalogueLook(hasty)
        yield {
            **{name: partial(look_at_service, sources.http, name, urls[name]) for name in SERVICES},
            "bucket": partial(look_at_bucket, sources),
            "queue": partial(look_at_queue, sources, urls["orchestrator"]),
            "catalogue": catalogue.look,
            "index": partial(look_at_index, sources, catalogue),
            "maintenance": MaintenanceLook(sources).look,
        }


async def _preload() -> None:
    """Imports that take their time would be taken for the services' latency."""
    for module in _SLOW:
        with suppress(ModuleNotFoundError):  # the part that needs it tells
            import_module(module)
    await checkpoint()  # httpx's event loop side is loaded when it is first used
