"""The queue's depth, the assets that failed, and their retries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dam.ids import is_id
from dam.maintenance.failures import NotRetriableError, retry
from gallery_api import refusals
from gallery_api.answers.operations import Jobs, Retried
from gallery_api.filters import Filters
from gallery_api.listing.selecting import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue import Catalogue
    from dam.connections import Connection
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore
    from gallery_api.browsing import Browser
    from gallery_api.following import Follower
    from gallery_api.pending import PendingAssets

_FAILED: Final = Filters(status="failed")
_AT_ONCE: Final = 500
_MOST_NAMED: Final = 1000


class JobDesk:
    """One for the whole app."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a retry touches
        self,
        store: Connection[ObjectStore],
        queue: Connection[JobQueue],
        catalogue: Connection[Catalogue],
        follower: Follower,
        browser: Browser,
        pending: PendingAssets,
    ) -> None:
        self._store = store
        self._queue = queue
        self._catalogue = catalogue
        self._follower = follower
        self._browser = browser
        self._pending = pending

    async def show(self, limit: int, cursor: str | None) -> Jobs:
        """What is where. Raises `RefusalError` for a cursor that is none."""
        if cursor is not None and not is_id(cursor):
            raise refusals.bad_cursor(cursor)
        await self._follower.catch_up()
        depth = await (await self._queue.get()).depth()
        return Jobs(
            ready=depth.ready,
            in_flight=depth.in_flight,
            delayed=depth.delayed,
            dead=depth.dead,
            parked=depth.parked,
            pending=len(await self._pending.list_recent()),
            failed_total=Selection(self._follower.columns, _FAILED).count(),
            failed=await self._browser.show_page(_FAILED, limit, cursor),
        )

    async def retry(self, asset_id: str) -> Retried:
        """Queue one failed asset again. Raises `RefusalError`."""
        asset = await self._browser.find(asset_id)
        if asset.status != "failed":
            raise refusals.wrong_state(asset_id, asset.status, "retried: it has not failed")
        queued = await self._retry([asset_id])
        if not queued:
            raise refusals.wrong_state(asset_id, "failed", "retried: its original is gone; upload it again")
        return Retried(queued=1, ids=queued)

    async def retry_all(self) -> Retried:
        """Queue every failed asset again; those whose original is gone stay failed."""
        await self._follower.catch_up()
        count, named, cursor = 0, list[str](), None
        while True:
            page = Selection(self._follower.columns, _FAILED).page(_AT_ONCE, cursor)
            queued = await self._retry(page.ids)
            count += len(queued)
            named += queued[: _MOST_NAMED - len(named)]
            if not page.has_more:
                return Retried(queued=count, ids=named)
            cursor = page.ids[-1]

    async def _retry(self, ids: Sequence[str]) -> list[str]:
        """Those of them that were queued."""
        store, queue, catalogue = (
            await self._store.get(),
            await self._queue.get(),
            await self._catalogue.get(),
        )
        queued = []
        for row in (await catalogue.current(ids)).values():
            if row.status != "failed":
                continue
            try:
                await retry(row, store, queue)
            except NotRetriableError:
                continue
            queued.append(row.id)
        return queued
