"""Assets that failed: listed from the catalogue, and queued again when a person says so.

`dam jobs` calls this. A retry is a new job against the row as it is now; it writes no row itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from dam import keys
from dam.errors import DamError, ObjectNotFoundError
from dam.ids import is_id
from dam.media import HEAD_BYTES, MEDIA_TYPES, sniff_type
from dam.originals import job_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue.row import Row
    from dam.catalogue.table import Catalogue
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectInfo, ObjectStore


class NotRetriableError(DamError):
    """This asset cannot be queued again; the message says why, and what can be done."""


async def find_failed(catalogue: Catalogue, ids: Sequence[str]) -> list[Row]:
    """Current rows of these assets, in the order given.

    Raises:
        NotRetriableError: one of them is unknown, or did not fail.
    """
    rows = await catalogue.current([asset_id for asset_id in ids if is_id(asset_id)])
    for asset_id in ids:
        row = rows.get(asset_id)
        if row is None:
            raise NotRetriableError(
                f"The catalogue has no asset {asset_id}. `dam jobs failed` lists those that can be retried; "
                "an upload without a row is queued by `dam reconcile`."
            )
        if row.status != "failed":
            raise NotRetriableError(f"The asset {asset_id} has not failed: its status is {row.status}.")
    return [rows[asset_id] for asset_id in dict.fromkeys(ids)]


async def retry(row: Row, store: ObjectStore, queue: JobQueue) -> None:
    """Queue a failed asset again, against the row as it is.

    Raises:
        NotRetriableError: its original is gone.
        StoreUnavailableError, QueueUnavailableError: nothing was queued.
    """
    original = await _find_original(row, store)
    sha256 = row.sha256 or await hash_object(store, original.key)
    job = job_of(original, row.id, sha256)
    await queue.publish(job.model_copy(update={"expected_revision": row.revision}).to_bytes())


async def hash_object(store: ObjectStore, key: str) -> str:
    """SHA-256 of an object, in lower-case hex, read as a stream. Raises `ObjectNotFoundError`."""
    digest = hashlib.sha256()
    async for chunk in store.stream(key):
        digest.update(chunk)
    return digest.hexdigest()


async def head_original(store: ObjectStore, key: str) -> ObjectInfo:
    """What is known of an original; its type by its first bytes where the object has none that is taken.

    The original project did not always give one. Raises `ObjectNotFoundError`, `StoreUnavailableError`.
    """
    original = await store.head(key)
    if any(original.content_type == known.mime_type for known in MEDIA_TYPES):
        return original
    found = sniff_type(b"".join([chunk async for chunk in store.stream(key, end=HEAD_BYTES)]))
    return replace(original, content_type=found.mime_type) if found else original


async def _find_original(row: Row, store: ObjectStore) -> ObjectInfo:
    """The original of a row; one made from an unreadable message may not know its key."""
    found = [row.r2_key] if row.r2_key else []
    if not found:
        found = [info.key async for info in store.list(f"{keys.ASSETS}{row.id}.")]
    for key in found:
        try:
            return await head_original(store, key)
        except ObjectNotFoundError:
            continue
    raise NotRetriableError(
        f"The original of asset {row.id} ({row.filename or 'without a name'}) is not in the bucket: upload "
        "the file again."
    )
