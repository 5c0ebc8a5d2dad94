"""Originals that have no row yet: `pending` until the orchestrator has committed one.

The bucket lists in the order of keys, and ids sort by time: recent originals are found without listing all.
What is older than the window is reconcile's to find, and is shown by its id alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from dam import keys, media
from dam.ids import is_id
from dam.originals import job_of
from dam.store.port import ObjectInfo
from gallery_api.answers.asset import Asset, show_values

if TYPE_CHECKING:
    from dam.connections import Connection
    from dam.store.port import ObjectStore
    from gallery_api.following import Follower

WINDOW_S: Final = 24 * 3600.0
MOST: Final = 10_000
_AHEAD_S: Final = 3600.0
"""How far ahead the clock may be that an upload's id is from."""
_LATE_S: Final = 3600.0
"""How long after its id was made an original may still arrive."""


class PendingAssets:
    """One for the whole app."""

    def __init__(self, store: Connection[ObjectStore], follower: Follower) -> None:
        self._store = store
        self._follower = follower
        self._settled = ""
        """Up to this key every original has its row, and none will come any more: it is not listed again."""

    async def find(self, asset_id: str) -> Asset | None:
        """What is known of an original without a row; None where there is no original."""
        if not is_id(asset_id):
            return None
        store = await self._store.get()
        async for original in store.list(f"{keys.ASSETS}{asset_id}."):
            return _show(await store.head(original.key), asset_id)
        return None

    async def list_recent(self) -> list[ObjectInfo]:
        """Originals of the last day without a row, oldest first."""
        store, now = await self._store.get(), time.time()
        start, late, end = (keys.ASSETS + _first_id(now + shift) for shift in (-WINDOW_S, -_LATE_S, _AHEAD_S))
        found = list[ObjectInfo]()
        settled = since = max(start, self._settled)
        async for original in store.list(keys.ASSETS, start_after=since):
            if original.key > end:  # adopted assets have random ids, nearly all of them above those of today
                break
            asset_id = keys.asset_id_of(original.key)
            if asset_id and self._follower.columns.find(asset_id) is None:
                found.append(original)
            elif not found:
                settled = original.key
            if len(found) >= MOST:
                break
        self._settled = min(settled, late)
        return found

    async def show(self, originals: list[ObjectInfo]) -> list[Asset]:
        """Listed originals as assets."""
        store = await self._store.get()
        shown = []
        for original in originals:
            asset_id = keys.asset_id_of(original.key)
            assert asset_id  # noqa: S101 - `list_recent` lists no other
            shown.append(_show(await store.head(original.key), asset_id))
        return shown


def _show(original: ObjectInfo, asset_id: str) -> Asset:
    job = job_of(original, asset_id, sha256="")
    known = {item.mime_type: item.asset_type for item in media.MEDIA_TYPES}
    return show_values(
        {
            **dict.fromkeys(Asset.model_fields),
            "id": asset_id,
            "filename": job.filename,
            "r2_key": job.key,
            "mime_type": job.mime_type,
            "revision": 0,
            "received_at": job.received_at,
            "actor": job.actor,
            "status": "pending",
            "asset_type": known.get(job.mime_type),
            "size_bytes": job.size_bytes,
        }
    )


def _first_id(seconds: float) -> str:
    """The smallest UUIDv7 of a moment."""
    return str(UUID(int=int(seconds * 1000) << 80))
