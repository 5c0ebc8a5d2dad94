"""The flow of one file: sniff, stream to the bucket, claim its content, queue its job.

Called by `upload` for each file part. Order matters: the original first, then the claim, then the job, so
that whatever is cut off in between is completed by a repeated upload or by reconcile. It never reads the
catalogue: whether a known asset is enriched is told from its vector in the bucket.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from dam import keys
from dam.access import visitors
from dam.claims import Claim, claim_content
from dam.errors import ObjectNotFoundError, QueueUnavailableError, StoreError, StoreUnavailableError
from dam.ids import new_id
from dam.media import HEAD_BYTES, sniff_type
from dam.names import safe_name
from dam.originals import job_of, metadata_of
from dam.store.port import ObjectInfo
from ingest_api import refusals
from ingest_api.arrivals import Arrival, read_head, within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.connections import Connection
    from dam.jobs import EnrichJob
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore
    from ingest_api.answers import UploadedFile
    from ingest_api.settings import IngestSettings

log = structlog.get_logger()

_MAX_TAKEOVERS: Final = 3


class Intake:
    """Takes files; one for the whole app."""

    def __init__(
        self, store: Connection[ObjectStore], queue: Connection[JobQueue], settings: IngestSettings
    ) -> None:
        self._store = store
        self._queue = queue
        self._settings = settings

    async def take(self, sent_name: str, chunks: AsyncIterator[bytes]) -> UploadedFile:
        """Store one file and queue its job, or find the asset that holds its content.

        Raises:
            RefusalError: it was not taken, or is not complete; what the error says holds for the bucket.
        """
        filename = safe_name(sent_name)
        shown = filename or "The file without a name"
        try:
            store = await self._store.get()
            arrival = await self._receive(store, filename, shown, chunks)
            return await self._settle(store, arrival)
        except StoreError as error:
            log.warning("upload.store_failed", filename=filename, error=str(error))
            raise refusals.store_unavailable(shown, error, self._settings.retry_after_s) from error
        except QueueUnavailableError as error:
            log.warning("upload.queue_failed", filename=filename, error=str(error))
            raise refusals.queue_unavailable(shown, error, self._settings.retry_after_s) from error

    async def _receive(
        self, store: ObjectStore, filename: str, shown: str, chunks: AsyncIterator[bytes]
    ) -> Arrival:
        """Stream the bytes into the bucket under a new id."""
        head = await read_head(chunks)
        if not head:
            raise refusals.empty_file(shown)
        media_type = sniff_type(head[:HEAD_BYTES])
        if media_type is None:
            raise refusals.unsupported_type(shown)
        filename = filename or f"unnamed.{media_type.extension}"
        asset_id, received_at = new_id(), datetime.now(UTC)
        key = keys.original(asset_id, media_type.extension)
        actor = visitors.current().actor
        mime_type, metadata = media_type.mime_type, metadata_of(filename, received_at, actor)
        stream = within(self._limit(), filename, head, chunks)
        size, sha256 = await store.put_stream(key, stream, content_type=mime_type, metadata=metadata)
        original = ObjectInfo(key, size, "", received_at, mime_type, metadata)
        return Arrival(Claim(id=asset_id, key=key, size=size), original, filename, sha256)

    def _limit(self) -> int:
        """Bytes that one file may have: the token's own limit may be below the service's."""
        token = visitors.current().token
        own = token.max_file_bytes if token else None
        return min(self._settings.max_file_bytes, own or self._settings.max_file_bytes)

    async def _settle(self, store: ObjectStore, arrival: Arrival) -> UploadedFile:
        """Claim the content and queue the job; or answer for the asset that holds the content."""
        gone = None
        for _ in range(_MAX_TAKEOVERS):
            holder = await claim_content(store, arrival.sha256, arrival.claim, gone=gone)
            if holder.id == arrival.claim.id:
                await self._publish(job_of(arrival.original, holder.id, arrival.sha256))
                log.info("upload.accepted", asset_id=holder.id, size_bytes=holder.size)
                return arrival.answer()
            try:
                original = await store.head(holder.key)
            except ObjectNotFoundError:
                # Its owner removed it from the bucket by hand: ours is the only copy now.
                log.warning("upload.claim_without_original", asset_id=holder.id, key=holder.key)
                gone = holder.id
                continue
            return await self._answer_duplicate(store, arrival, holder, original)
        raise StoreUnavailableError(f"The claim of content {arrival.sha256} changes all the time.")

    async def _answer_duplicate(
        self, store: ObjectStore, arrival: Arrival, holder: Claim, original: ObjectInfo
    ) -> UploadedFile:
        """Drop our copy, name the existing asset, and complete it where it is not enriched."""
        await self._drop(store, arrival.claim.key)
        answer = arrival.answer().model_copy(
            update={"id": holder.id, "r2_key": holder.key, "duplicate_of": holder.id}
        )
        log.info("upload.duplicate", asset_id=holder.id)
        if holder.status == "deleted":
            hint = (
                f"This content is asset {holder.id}, which was deleted; restore it instead of uploading it."
            )
            return answer.model_copy(update={"status": "deleted", "hint": hint})
        try:
            await store.head(keys.vector(holder.id))
        except ObjectNotFoundError:
            # Waiting, lost or failed: the job may be superfluous, and the orchestrator drops it then.
            await self._publish(job_of(original, holder.id, arrival.sha256))
            return answer
        return answer.model_copy(update={"status": "ready"})

    async def _publish(self, job: EnrichJob) -> None:
        queue = await self._queue.get()
        await queue.publish(job.to_bytes())

    async def _drop(self, store: ObjectStore, key: str) -> None:
        """Delete our own second copy; if that fails, `dam verify --repair` finds it unclaimed."""
        try:
            await store.delete(key)
        except StoreUnavailableError as error:
            log.warning("upload.copy_left", key=key, error=str(error))
