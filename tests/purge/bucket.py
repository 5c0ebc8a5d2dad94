"""A bucket with assets as the services leave them, and what of an asset is still to be found in it."""

from __future__ import annotations

import contextlib
import hashlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from dam import keys
from dam.catalogue import Catalogue, Change, Committed, Row
from dam.claims import Claim, change_claim, claim_content, read_claim
from dam.ids import new_id
from dam.purge.candidates import find_candidates
from dam.purge.purger import Purger, Report
from dam.purge.sweep import sweep
from dam.store.opening import open_store
from dam.vectors import make_document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.catalogue.row import Event, Status
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore
    from tests.purge.mortal import Fate


@dataclass
class Bucket:
    """Real catalogue and store."""

    settings: DamSettings
    store: ObjectStore
    catalogue: Catalogue

    async def add(self, caption: str, data: bytes | None = None, **values: Any) -> Row:
        """An upload that was enriched: original, claim, thumbnails, vector and first row."""
        asset_id = new_id()
        data = data or caption.encode()
        key, sha256 = keys.original(asset_id, "jpg"), hashlib.sha256(data).hexdigest()
        await self.store.put(key, data, content_type="image/jpeg")
        await claim_content(self.store, sha256, Claim(id=asset_id, key=key, size=len(data)))
        for size in keys.THUMBNAIL_SIZES:
            await self.store.put(keys.thumbnail(asset_id, size), b"webp")
        vector = make_document(asset_id, "clip@1", [0.5] * 4)
        await self.store.put(keys.vector(asset_id), vector)
        known = {
            "filename": f"{caption}.jpg",
            "caption": caption,
            "r2_key": key,
            "vector_key": keys.vector(asset_id),
            "mime_type": "image/jpeg",
            "asset_type": "image",
            "received_at": datetime(2026, 5, 4, tzinfo=UTC),
            "size_bytes": len(data),
            "sha256": sha256,
            "width": 4,
            "embedding": [0.5] * 4,
            "embedding_by": "clip@1",
        }
        return await self.change(asset_id, 0, "enriched", "ready", **{**known, **values})

    async def change(self, asset_id: str, expected: int, event: Event, status: Status, **values: Any) -> Row:
        """One more revision, which must be taken."""
        [outcome] = await self.catalogue.commit(
            [Change(asset_id, new_id(), expected, event, status, "person:anna", values)]
        )
        assert isinstance(outcome, Committed), outcome
        return outcome.row

    async def delete(self, row: Row) -> Row:
        """As the gallery deletes: the row, then the claim."""
        deleted = await self.change(row.id, row.revision, "deleted", "deleted")
        await self._mark(row, "deleted")
        return deleted

    async def restore(self, row: Row) -> Row | None:
        """As the gallery restores; None where it was refused, since somebody else's revision came first."""
        change = Change(row.id, new_id(), row.revision, "restored", "ready", "person:anna")
        [outcome] = await self.catalogue.commit([change])
        if not isinstance(outcome, Committed):
            return None
        await self._mark(row, "live")
        return outcome.row

    async def _mark(self, row: Row, status: Any) -> None:
        assert row.sha256
        assert row.r2_key
        claim = Claim(id=row.id, key=row.r2_key, size=row.size_bytes or 0, status=status)
        await change_claim(self.store, row.sha256, claim)

    async def add_deleted(self, caption: str, data: bytes | None = None) -> Row:
        """One that was edited once and deleted."""
        row = await self.add(caption, data)
        row = await self.change(row.id, 1, "edited", "ready", title=f"title of {caption}")
        return await self.delete(row)

    async def purge(self, before: datetime | None = None, fate: Fate | None = None) -> Report:
        """The whole of it, of what is deleted by now."""
        before = before or datetime.now(UTC) + timedelta(seconds=1)
        store, catalogue = (self.store, self.catalogue)
        if fate:
            store, catalogue = fate.bind(store), fate.bind(catalogue)
        found = await find_candidates(catalogue, before)
        report = await Purger(store, catalogue, "person:anna").run(found, before, lambda _: None)
        await sweep(store, catalogue, readers_s=0)
        return report

    async def find_traces(self, row: Row, caption: str) -> list[str]:
        """Keys of the objects in which an asset, or its caption, can still be found.

        Its tombstone and its `purged` row are none. Parquet files are read, whether the table names them or
        not.
        """
        traces = []
        async for found in self.store.list(""):
            if found.key.endswith(".parquet"):
                table = pq.read_table(io.BytesIO((await self.store.get(found.key)).data))
                if any(_is_trace(item, row.id, caption) for item in table.to_pylist()):
                    traces.append(found.key)
            elif row.id in found.key or caption.encode() in (await self.store.get(found.key)).data:
                traces.append(found.key)
        return traces

    async def claim_status(self, row: Row) -> str | None:
        """What the claim on the content of this row says; None where another asset holds it."""
        assert row.sha256
        claim = await read_claim(self.store, row.sha256)
        return claim.status if claim and claim.id == row.id else None

    async def assert_purged(self, row: Row, caption: str) -> None:
        """Nothing is left but a tombstone and one row that says nothing."""
        assert await self.find_traces(row, caption) == []
        [left] = await self.catalogue.history(row.id)
        assert (left.event, left.status, left.revision) == ("purged", "deleted", row.revision + 1)
        assert (left.caption, left.filename, left.sha256, left.tags) == (None, None, None, None)
        assert await self.claim_status(row) == "purged"

    async def assert_whole(self, row: Row, revision: int) -> None:
        """Row, history, claim and every byte are there."""
        history = await self.catalogue.history(row.id)
        assert [item.revision for item in history] == list(range(1, revision + 1))
        assert await self.claim_status(row) == ("deleted" if history[-1].status == "deleted" else "live")
        assert row.r2_key
        await self.store.head(row.r2_key)
        await self.store.head(keys.vector(row.id))
        for size in keys.THUMBNAIL_SIZES:
            await self.store.head(keys.thumbnail(row.id, size))


def _is_trace(item: dict[str, Any], asset_id: str, caption: str) -> bool:
    values = [str(value) for value in item.values()]
    return any(caption in value for value in values) or (
        item.get("id") == asset_id and item.get("event") != "purged"
    )


@contextlib.asynccontextmanager
async def open_bucket(settings: DamSettings) -> AsyncIterator[Bucket]:
    """Opened on an empty place."""
    store = await open_store(settings)
    catalogue = await Catalogue.open(settings)
    try:
        yield Bucket(settings, store, catalogue)
    finally:
        await catalogue.close()
        await store.close()
