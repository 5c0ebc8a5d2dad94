"""The index as one more duty of the lease's holder: `dam.maintenance.running` starts it beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dam.catalogue.storage import TableHandle
from dam.maintenance.patience import pause, try_until_it_works
from dam.maintenance.worker import Worker
from dam.search.keeper import IndexKeeper
from dam.store.delta import delta_location, lance_location

if TYPE_CHECKING:
    import asyncio

    from dam.settings import DamSettings
    from dam.store.port import ObjectStore

POLL_S: Final = 1.0
"""A search shows a commit from the index within two of these."""


async def keep_index(store: ObjectStore, settings: DamSettings, stop: asyncio.Event) -> None:
    """Step after step, through outages, until `stop` is set."""
    worker = Worker("index")
    try:
        handle = await try_until_it_works(
            "catalogue", lambda: worker.run(TableHandle.open, *delta_location(settings)), stop
        )
        if handle is None:
            return
        keeper = IndexKeeper(store, handle, worker, lance_location(settings))
        while not stop.is_set():
            await try_until_it_works("index", keeper.step, stop)
            await pause(POLL_S, stop)
    finally:
        worker.close()
