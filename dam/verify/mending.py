"""Mends what a verification found, as far as that can be done without a doubt. Called after the second look.

It writes conditionally, or through the queue, so that a pipeline at work beside it wins. It must never remove
an original, but for a copy without a row whose bytes have been compared with the holder's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dam.adopt.former import holds_former_table
from dam.claims import Claim, bury_claim, change_claim, claim_content, find_held, read_claim
from dam.errors import ObjectNotFoundError, PreconditionFailedError
from dam.ids import is_former
from dam.maintenance.failures import hash_object, head_original
from dam.maintenance.reconciliation import Reconciler
from dam.maintenance.report import Report as Reconciled
from dam.originals import job_of
from dam.vectors import MEDIA_TYPE, make_document
from dam.verify.findings import Finding, Kind, Mending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue.storage import TableHandle
    from dam.jobs import Want
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectInfo
    from dam.verify.facts import ClaimFacts, Facts, State
    from dam.verify.scope import Scope

_ORPHANS: Final = {Kind.THUMBNAIL_ORPHAN, Kind.VECTOR_ORPHAN}
_VECTORS: Final = {Kind.VECTOR_MISSING, Kind.VECTOR_WRONG}


class Mender:
    """Does nothing unless `repair` was asked for; then every finding comes back with what became of it."""

    def __init__(self, scope: Scope, handle: TableHandle) -> None:
        self._scope = scope
        self._store = scope.store
        self._handle = handle

    async def mend_asset(self, facts: Facts, findings: Sequence[Finding]) -> list[Finding]:
        """One asset, with everything that is wrong with it: what must be made again is one job."""
        if not self._scope.options.repair or not findings:
            return list(findings)
        mended: dict[Finding, Mending] = {}
        wants: dict[Finding, Want] = {}
        for finding in findings:
            if finding.kind is Kind.THUMBNAIL_MISSING:
                wants[finding] = "thumbnails"
            elif finding.kind in _VECTORS:
                mended[finding] = await self._write_vector(facts, finding.key)
                if mended[finding] is Mending.NOT_POSSIBLE:
                    wants[finding] = "embedding"
            else:
                mended[finding] = await self._mend_other(facts, finding)
        if wants:
            queued = await self._queue_again(facts, sorted(set(wants.values())))
            mended |= dict.fromkeys(wants, queued)
        return [replace(finding, mending=mended[finding]) for finding in findings]

    async def mend_claim(self, facts: ClaimFacts, finding: Finding) -> Finding:
        """One claim."""
        if not self._scope.options.repair:
            return finding
        if finding.kind is Kind.CLAIM_ORPHAN:
            return replace(finding, mending=await self._bury(facts))
        return replace(finding, mending=await self._claim(facts))

    async def mend_other(self, finding: Finding) -> Finding:
        """A vector of another space that belongs to nothing."""
        if not self._scope.options.repair:
            return finding
        await self._store.delete(finding.key)
        return replace(finding, mending=Mending.MENDED)

    async def _mend_other(self, facts: Facts, finding: Finding) -> Mending:
        if finding.kind in _ORPHANS:
            await self._store.delete(finding.key)
            return Mending.MENDED
        original = next((item for item in facts.originals if item.key == finding.key), None)
        if original is None or self._scope.queue is None:
            return Mending.NOT_POSSIBLE
        if is_former(facts.asset_id) and await holds_former_table(self._store, self._scope.folder):
            return Mending.NOT_POSSIBLE  # `dam adopt` takes it, with what its table says
        if finding.kind is Kind.COPY:
            return await self._remove_copy(facts, original)
        if finding.kind is Kind.ROW_MISSING:
            return await self._queue_lost(original, facts.asset_id, self._scope.queue)
        return Mending.NOT_POSSIBLE

    async def _remove_copy(self, facts: Facts, copy: ObjectInfo) -> Mending:
        """Remove an original without a row, if the holder of its content has the very same bytes."""
        try:
            sha256 = await hash_object(self._store, copy.key)
            holder = await read_claim(self._store, sha256)
            if holder is None or holder.id == facts.asset_id or holder.status != "live":
                return Mending.NOT_POSSIBLE
            if holder.key == copy.key or await hash_object(self._store, holder.key) != sha256:
                return Mending.NOT_POSSIBLE
            # It may have changed hands while both were read.
            if await read_claim(self._store, sha256) != holder or await self._has_row(facts.asset_id):
                return Mending.FAILED
        except ObjectNotFoundError:
            return Mending.FAILED
        await self._store.delete(copy.key)
        return Mending.MENDED

    async def _queue_lost(self, original: ObjectInfo, asset_id: str, queue: JobQueue) -> Mending:
        report = Reconciled()
        await Reconciler(self._store, queue, self._scope.settings).queue_lost(original, asset_id, report)
        return Mending.QUEUED if report.queued.count else Mending.FAILED

    async def _queue_again(self, facts: Facts, wants: Sequence[Want]) -> Mending:
        """A job for what is missing, against the row as it is; a deleted asset would come back by it."""
        state, queue = facts.state, self._scope.queue
        if queue is None or state is None or state.status != "ready" or state.r2_key is None:
            return Mending.NOT_POSSIBLE
        try:
            original = await head_original(self._store, state.r2_key)
            sha256 = await hash_object(self._store, state.r2_key)
        except ObjectNotFoundError:
            return Mending.NOT_POSSIBLE
        if state.sha256 not in {None, sha256}:
            return Mending.NOT_POSSIBLE
        job = job_of(original, state.id, sha256)
        job = job.model_copy(update={"expected_revision": state.revision, "wants": tuple(wants)})
        await queue.publish(job.to_bytes())
        return Mending.QUEUED

    async def _write_vector(self, facts: Facts, key: str) -> Mending:
        """Write it as the row that made it has it; `NOT_POSSIBLE` where the catalogue has none."""
        state = facts.state
        if state is None or state.embedding_by is None or state.vector_key not in {None, key}:
            return Mending.NOT_POSSIBLE
        numbers = await self._scope.worker.run(self._read_embedding, state)
        if not numbers:
            return Mending.NOT_POSSIBLE
        etag = next((item.etag for item in facts.vectors if item.key == key), None)
        body = make_document(state.id, state.embedding_by, numbers)
        try:
            await self._store.put(key, body, content_type=MEDIA_TYPE, if_absent=etag is None, if_match=etag)
        except PreconditionFailedError:
            return Mending.FAILED  # somebody has just written it
        return Mending.MENDED

    def _read_embedding(self, state: State) -> list[float] | None:
        newest: tuple[int, list[float]] | None = None
        predicate = f"id = '{state.id}' AND embedding IS NOT NULL"
        for batch in self._handle.scan(["revision", "embedding_by", "embedding"], predicate):
            for row in batch.to_pylist():
                is_its = row["embedding_by"] == state.embedding_by
                if is_its and (newest is None or row["revision"] > newest[0]):
                    newest = row["revision"], row["embedding"]
        return newest[1] if newest else None

    async def _claim(self, facts: ClaimFacts) -> Mending:
        """Claim the content for an asset that has it, as its row says."""
        held = facts.claim
        owner = next((state for state in facts.states if held and state.id == held.id), None)
        heir = owner or next((state for state in facts.states if state.r2_key), None)
        if heir is None or heir.r2_key is None:
            return Mending.NOT_POSSIBLE
        try:
            original = await self._store.head(heir.r2_key)
        except ObjectNotFoundError:
            return Mending.NOT_POSSIBLE  # a claim on nothing would keep the content from being uploaded
        claim = Claim(
            id=heir.id,
            key=heir.r2_key,
            size=original.size,
            status="deleted" if heir.status == "deleted" else "live",
        )
        if owner is not None:
            holder = await change_claim(self._store, facts.sha256, claim)
        else:
            gone = held.id if held else None
            holder = await claim_content(self._store, facts.sha256, claim, gone=gone)
        return Mending.MENDED if holder == claim else Mending.FAILED

    async def _bury(self, facts: ClaimFacts) -> Mending:
        """Make a tombstone of a claim on nothing, if it is still the one that was looked at.

        Removing it could take away a claim that an upload has put in its place meanwhile.
        """
        claim = facts.claim
        held = await find_held(self._store, facts.sha256, claim.id) if claim else None
        if held is None or held.claim != claim:
            return Mending.FAILED
        return Mending.MENDED if await bury_claim(self._store, facts.sha256, held) else Mending.FAILED

    async def _has_row(self, asset_id: str) -> bool:
        await self._scope.worker.run(self._handle.refresh)
        return bool(await self._scope.worker.run(self._handle.read_revisions, [asset_id]))
