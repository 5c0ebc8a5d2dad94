"""Takes originals over: claim, thumbnails, vector, job, then the row, which says that all of it is done.

The order is what makes it safe to be killed anywhere: an original whose row is not there is simply taken
again, by the same claim, the same keys and the same change ids. It must never write to a key of the original
project's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import structlog

from dam import keys, memory
from dam.adopt import changes
from dam.adopt.assessing import assess, choose_original
from dam.adopt.report import Kind
from dam.catalogue.changes import Change, Refused, Stale
from dam.claims import Claim, claim_or_inherit
from dam.errors import CatalogueUnavailableError, ObjectNotFoundError, PictureError
from dam.together import for_each
from dam.vectors import MEDIA_TYPE, make_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.adopt.assessing import Assessment
    from dam.adopt.options import AdoptOptions
    from dam.adopt.originals import Content, Reader
    from dam.adopt.report import Report
    from dam.adopt.walking import Item
    from dam.catalogue import Catalogue, Row
    from dam.jobs import EnrichJob
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore

log = structlog.get_logger()

_MOST_ROUNDS: Final = 5
_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Taker:
    """One run. Each call of `take` ends with one commit."""

    store: ObjectStore
    queue: JobQueue
    catalogue: Catalogue
    reader: Reader
    options: AdoptOptions
    report: Report

    async def take(self, items: Sequence[Item]) -> None:
        """Take over originals that have no row.

        Raises:
            StoreUnavailableError, QueueUnavailableError, CatalogueUnavailableError: it stopped half way; the
                next run goes on.
        """
        taken = await for_each(items, self._take, self.options.parallel)
        memory.trim()
        await self._commit([change for change in taken if change is not None])

    async def recaption(self, items: Sequence[Item]) -> None:
        """Give rows that somebody else made without a caption the one that was there."""
        changed = [
            changes.recaptioned(item.asset_id, item.state["revision"], item.row.caption, item.state["status"])
            for item in items
            if item.state and item.row and item.row.caption
        ]
        for outcome in await self.catalogue.commit(changed):
            self.report.recaptioned += not isinstance(outcome, Stale | Refused)

    async def _take(self, item: Item) -> Change | None:
        original = choose_original(item, self.report)
        try:
            assessment = await assess(self.store, item, original, self.options, self.report)
            return await self._make(assessment)
        except ObjectNotFoundError:
            self.report.add(Kind.GONE, original.key, "It was removed while it was being taken over.")
            return None

    async def _make(self, assessment: Assessment) -> Change:
        async with self.reader.fetch(assessment.original.key) as (content, path):
            self.report.read_bytes += content.size
            job = await self._claim(assessment, content)
            try:
                derived = await self.reader.derive(path)
            except PictureError as error:
                self.report.failed += 1
                self.report.add(Kind.PICTURE_UNREADABLE, job.key, f"{error} It is in the gallery as failed.")
                return changes.failed(assessment, job, error)
        for size, webp in derived.thumbnails.items():
            await self.store.put(keys.thumbnail(job.asset_id, size), webp, content_type="image/webp")
        made_by = self.options.vectors_by
        if assessment.vector is not None and made_by is not None:
            body = make_document(job.asset_id, made_by, assessment.vector)
            await self.store.put(keys.vector(job.asset_id), body, content_type=MEDIA_TYPE)
        if assessment.wants:
            # Before the row: a row without its job would never be completed.
            await self.queue.publish(changes.queued(assessment, job).to_bytes())
        return changes.adopted(assessment, job, derived, made_by)

    async def _claim(self, assessment: Assessment, content: Content) -> EnrichJob:
        """Claim the content. Where somebody holds it the asset has the same content, and no claim."""
        known = content.media_type.mime_type if content.media_type else assessment.original.content_type
        job = assessment.make_job(content.sha256, known or _UNKNOWN_TYPE)
        job = job.model_copy(update={"size_bytes": content.size})
        claim = Claim(id=job.asset_id, key=job.key, size=content.size)
        holder = await claim_or_inherit(self.store, content.sha256, claim)
        if holder.id != job.asset_id:
            tell_duplicate(self.report, job.key, holder.id)
        return job

    async def _commit(self, changed: Sequence[Change]) -> None:
        """Commit, and settle with whoever was faster: a job that ran before its row was there."""
        waiting = list(changed)
        for _ in range(_MOST_ROUNDS):
            if not waiting:
                return
            outcomes = await self.catalogue.commit(waiting)
            again: list[Change] = []
            for change, outcome in zip(waiting, outcomes, strict=True):
                if isinstance(outcome, Stale) and (rebased := rebase(change, outcome.current)):
                    again.append(rebased)
                elif isinstance(outcome, Refused):
                    self.report.add(
                        Kind.REFUSED, change.values.get("r2_key", change.asset_id), outcome.reason
                    )
                else:
                    self._count(change)
            waiting = again
        if waiting:
            raise CatalogueUnavailableError(f"Others keep changing {waiting[0].asset_id}; adopt again later.")

    def _count(self, change: Change) -> None:
        values: dict[str, Any] = dict(change.values)
        has_vector, has_caption = "embedding" in values, values.get("caption") is not None
        self.report.taken += 1
        self.report.with_caption += has_caption
        self.report.with_vector += has_vector
        self.report.queued += change.status == "ready" and not (has_vector and has_caption)
        log.debug("adopt.taken", asset_id=change.asset_id, row_status=change.status)


def rebase(change: Change, current: Row | None) -> Change | None:
    """What is still to be said of an asset whose row somebody else has made meanwhile; None for nothing."""
    if current is None:
        return replace(change, expected_revision=0)
    if current.status == "failed" and change.status == "ready":
        return replace(change, expected_revision=current.revision)
    caption = change.values.get("caption")
    if caption is None or current.caption is not None or current.caption_by is not None:
        return None
    if current.status == "deleted":
        return None
    return changes.recaptioned(change.asset_id, current.revision, caption, current.status)


def tell_duplicate(report: Report, key: str, holder: str) -> None:
    """Two assets with one content stay two: each has its own name and caption."""
    problem = f"It has the same content as {holder}. Both become assets; the claim stays with the other."
    report.add(Kind.DUPLICATE, key, problem)
