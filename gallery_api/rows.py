"""Rows by id, the newest that the columns know of, from the quickest place that has them.

Fresh rows first, then the index (one look-up for a page), then the catalogue itself, which always has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.errors import IndexUnavailableError
from dam.search.schema import read_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dam.catalogue import Catalogue, Row
    from dam.connections import Connection
    from dam.search.reader import IndexReader
    from gallery_api.following import Follower

log = structlog.get_logger()

_COLUMNS: Final = SNAPSHOT_SCHEMA.names
Values = dict[str, Any]
"""One row, by column name."""


class Rows:
    """One for the whole app."""

    def __init__(self, catalogue: Connection[Catalogue], index: IndexReader, follower: Follower) -> None:
        self._catalogue = catalogue
        self._index = index
        self._follower = follower

    async def find(self, ids: Sequence[str], indexed: Mapping[str, str] | None = None) -> dict[str, Values]:
        """The newest rows of these ids; ids that have none are left out.

        `indexed` are rows that the index brought with its hits, as text.

        Raises:
            CatalogueUnavailableError: neither index nor catalogue has them for now.
        """
        found = self._find_fresh(ids)
        missing = [asset_id for asset_id in ids if asset_id not in found]
        found |= await self._find_indexed(missing, indexed or {})
        missing = [asset_id for asset_id in missing if asset_id not in found]
        if missing:
            catalogue = await self._catalogue.get()
            rows = await catalogue.current(missing)
            found |= {asset_id: values_of(row) for asset_id, row in rows.items()}
        return found

    def _find_fresh(self, ids: Sequence[str]) -> dict[str, Values]:
        """Those that the index does not have yet."""
        known = [fresh.row for asset_id in ids if (fresh := self._follower.fresh.get(asset_id))]
        if not known:
            return {}
        newest = self._follower.columns.revisions([row.id for row in known])
        return {
            row.id: values_of(row)
            for row, revision in zip(known, newest, strict=True)
            if row.revision >= revision
        }

    async def _find_indexed(self, ids: Sequence[str], indexed: Mapping[str, str]) -> dict[str, Values]:
        """Those that the index has in their newest revision."""
        rows = {asset_id: read_row(indexed[asset_id]) for asset_id in ids if asset_id in indexed}
        unread = [asset_id for asset_id in ids if asset_id not in rows]
        if unread and self._index.state is not None:
            try:
                rows |= await self._index.rows(unread)
            except IndexUnavailableError as error:
                log.warning("index.unreadable", error=str(error))
                self._index.forget()
        if not rows:
            return {}
        newest = self._follower.columns.revisions(list(rows))
        return {
            key: row
            for (key, row), revision in zip(rows.items(), newest, strict=True)
            if row["revision"] >= revision
        }


def values_of(row: Row) -> Values:
    """A catalogue row by column name, without its vector."""
    return {name: getattr(row, name) for name in _COLUMNS}
