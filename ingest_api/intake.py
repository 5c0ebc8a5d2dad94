"""The flow of one file: sniff, stream to the bucket, claim its content, queue its job.

Called by `upload` for each file part. Order matters: the original first, then the claim, then the job, so
that whatever is cut off in between is completed by a repeated upload or by reconcile. It never reads the
catalogue: whether a known asset is enriched is told from its vector in the bucket.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

import structlog

from dam import keys
from dam.claims import Claim, claim_content
from dam.errors import ObjectNotFoundError, QueueUnavailableError, StoreError, StoreUnavailableError
from dam.ids import new_id
from dam.jobs import EnrichJob
from dam.media import HEAD_BYTES, MediaType, sniff_type
from ingest_api import refusals
from ingest_api.answers import UploadedFile
from ingest_api.names import safe_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.queue.port import JobQueue
    from dam.store.port import ObjectInfo, ObjectStore
    from ingest_api.connections import Connection
    from ingest_api.settings import IngestSettings

log = structlog.get_logger()

ACTOR: Final = "person:anonymous"
"""Who uploads, as long as requests carry no token."""

_MAX_TAKEOVERS: Final = 3


class Measured:
    """Passes a file's bytes on while it counts, hashes and limits them."""

    def __init__(self, filename: str, head: bytes, rest: AsyncIterator[bytes], limit: int) -> None:
        self._filename, self._head, self._rest, self._limit = filename, head, rest, limit
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Of what has passed so far, lower-case hex."""
        return self._hash.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes. Raises `RefusalError` as soon as there are more than the limit."""
        yield self._measure(self._head)
        async for chunk in self._rest:
            yield self._measure(chunk)

    def _measure(self, chunk: bytes) -> bytes:
        self.size += len(chunk)
        if self.size > self._limit:
            raise refusals.file_too_large(self._filename, self._limit)
        self._hash.update(chunk)
        return chunk


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A file whose bytes are in the bucket under a key of its own."""

    claim: Claim
    filename: str
    media_type: MediaType
    sha256: str
    received_at: datetime

    def answer(self) -> UploadedFile:
        """As a new asset."""
        return UploadedFile(
            filename=self.filename,
            id=self.claim.id,
            r2_key=self.claim.key,
            mime_type=self.media_type.mime_type,
            size_bytes=self.claim.size,
            sha256=self.sha256,
            status="pending",
        )

    def job(self) -> EnrichJob:
        """The first enrichment of a new asset."""
        return EnrichJob(
            asset_id=self.claim.id,
            key=self.claim.key,
            filename=self.filename,
            mime_type=self.media_type.mime_type,
            size_bytes=self.claim.size,
            sha256=self.sha256,
            received_at=self.received_at,
            actor=ACTOR,
        )


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
    ) -> _Arrival:
        """Stream the bytes into the bucket under a new id."""
        head = await _read_head(chunks)
        if not head:
            raise refusals.empty_file(shown)
        media_type = sniff_type(head[:HEAD_BYTES])
        if media_type is None:
            raise refusals.unsupported_type(shown)
        filename = filename or f"unnamed.{media_type.extension}"
        asset_id, received_at = new_id(), datetime.now(UTC)
        key = keys.original(asset_id, media_type.extension)
        measured = Measured(filename, head, chunks, self._settings.max_file_bytes)
        await store.put_stream(
            key,
            measured.chunks(),
            content_type=media_type.mime_type,
            metadata={"filename": quote(filename), "received-at": received_at.isoformat(), "actor": ACTOR},
        )
        claim = Claim(id=asset_id, key=key, size=measured.size)
        return _Arrival(claim, filename, media_type, measured.sha256, received_at)

    async def _settle(self, store: ObjectStore, arrival: _Arrival) -> UploadedFile:
        """Claim the content and queue the job; or answer for the asset that holds the content."""
        gone = None
        for _ in range(_MAX_TAKEOVERS):
            holder = await claim_content(store, arrival.sha256, arrival.claim, gone=gone)
            if holder.id == arrival.claim.id:
                await self._publish(arrival.job())
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
        self, store: ObjectStore, arrival: _Arrival, holder: Claim, original: ObjectInfo
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
            await self._publish(_job_again(holder, original, arrival))
            return answer
        return answer.model_copy(update={"status": "ready"})

    async def _publish(self, job: EnrichJob) -> None:
        queue = await self._queue.get()
        await queue.publish(job.to_bytes())

    async def _drop(self, store: ObjectStore, key: str) -> None:
        """Delete our own second copy; if that fails, reconcile finds it unclaimed and deletes it."""
        try:
            await store.delete(key)
        except StoreUnavailableError as error:
            log.warning("upload.copy_left", key=key, error=str(error))


def _job_again(holder: Claim, original: ObjectInfo, arrival: _Arrival) -> EnrichJob:
    """The job of an asset that is there, from what its original's metadata say."""
    received_at = original.metadata.get("received-at")
    return EnrichJob(
        asset_id=holder.id,
        key=holder.key,
        filename=unquote(original.metadata.get("filename", "")) or arrival.filename,
        mime_type=arrival.media_type.mime_type,
        size_bytes=original.size,
        sha256=arrival.sha256,
        received_at=datetime.fromisoformat(received_at) if received_at else original.last_modified,
        actor=original.metadata.get("actor", ACTOR),
    )


async def _read_head(chunks: AsyncIterator[bytes]) -> bytes:
    """The first `HEAD_BYTES` or a little more, or the whole of a shorter file."""
    head = b""
    while len(head) < HEAD_BYTES:
        chunk = await anext(chunks, None)
        if chunk is None:
            break
        head += chunk
    return head
