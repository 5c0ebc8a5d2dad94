"""Lists, days, single assets and their histories: the read side of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.ids import is_id
from gallery_api import refusals
from gallery_api.answers.asset import Asset, AssetPage, History, Timeline, show_history, show_values
from gallery_api.listing.selecting import Selection

if TYPE_CHECKING:
    from dam.catalogue import Catalogue
    from dam.connections import Connection
    from gallery_api.filters import Filters, PageQuery
    from gallery_api.following import Follower
    from gallery_api.pending import PendingAssets
    from gallery_api.rows import Rows


class Browser:
    """One for the whole app. Every read sees what was committed before it."""

    def __init__(
        self, catalogue: Connection[Catalogue], follower: Follower, rows: Rows, pending: PendingAssets
    ) -> None:
        self._catalogue = catalogue
        self._follower = follower
        self._rows = rows
        self._pending = pending

    async def list_page(self, query: PageQuery) -> AssetPage:
        """A page, newest first. Raises `RefusalError` for a cursor that is none."""
        if query.cursor is not None and not is_id(query.cursor):
            raise refusals.bad_cursor(query.cursor)
        await self._follower.catch_up()
        if query.status == "pending":
            return await self._list_pending(query)
        return await self.show_page(query, query.limit, query.cursor)

    async def show_page(self, filters: Filters, limit: int, cursor: str | None) -> AssetPage:
        """The assets after `cursor` that pass."""
        page = Selection(self._follower.columns, filters).page(limit, cursor)
        rows = await self._rows.find(page.ids)
        items = [show_values(rows[asset_id]) for asset_id in page.ids if asset_id in rows]
        return AssetPage(items=items, next_cursor=page.ids[-1] if page.has_more else None)

    async def count_days(self, filters: Filters) -> Timeline:
        """How many assets that pass came on which day."""
        await self._follower.catch_up()
        days = Selection(self._follower.columns, filters).days()
        return Timeline(total=sum(day.count for day in days), days=days)

    async def find(self, asset_id: str) -> Asset:
        """One asset, whatever its status. Raises `RefusalError` where there is none."""
        await self._follower.catch_up()
        row = (await self._rows.find([asset_id] if is_id(asset_id) else [])).get(asset_id)
        if row is None:
            pending = await self._pending.find(asset_id)
            if pending is None:
                raise refusals.not_found(asset_id)
            return pending
        if row["event"] == "purged":
            raise refusals.purged(asset_id)
        return show_values(row)

    async def find_history(self, asset_id: str) -> History:
        """Every revision. Raises `RefusalError` where there is no asset; a pending one has none."""
        rows = await (await self._catalogue.get()).history(asset_id)
        if not rows and await self._pending.find(asset_id) is None:
            raise refusals.not_found(asset_id)
        return show_history(rows)

    async def _list_pending(self, query: PageQuery) -> AssetPage:
        originals = await self._pending.list_recent()
        newest = [
            item for item in reversed(originals) if query.cursor is None or _id(item.key) < query.cursor
        ]
        items = await self._pending.show(newest[: query.limit])
        more = len(newest) > query.limit
        return AssetPage(items=items, next_cursor=items[-1].id if more else None)


def _id(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]
