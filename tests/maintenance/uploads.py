"""Uploads that were stopped on their way: an original, mostly its claim, and no row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from dam import keys
from dam.claims import Claim, claim_content
from dam.ids import new_id
from dam.originals import metadata_of
from tests.maintenance.rows import NOW

if TYPE_CHECKING:
    from dam.store.port import ObjectStore


async def upload(
    store: ObjectStore, data: bytes, asset_id: str | None = None, *, claimed: bool = True
) -> str:
    """What ingest does, up to where it was stopped: the original, and mostly its claim."""
    asset_id = asset_id or new_id()
    key = keys.original(asset_id, "jpg")
    metadata = metadata_of("Füße.jpg", NOW, "person:anna")
    await store.put(key, data, content_type="image/jpeg", metadata=metadata)
    if claimed:
        await claim_content(store, sha256(data), Claim(id=asset_id, key=key, size=len(data)))
    return asset_id


def sha256(data: bytes) -> str:
    """As in `hashes/`."""
    return hashlib.sha256(data).hexdigest()
