"""Catalogue changes: what a job's result, or its failure, says about its asset.

Called by `settling` and `deadletters`. Pure; it must never look at the catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dam import keys
from dam.catalogue.changes import Change

if TYPE_CHECKING:
    from dam.catalogue.row import Status
    from dam.jobs import EnrichJob
    from orchestrator.enriching import Enrichment

ACTOR: Final = "orchestrator"
_LONGEST_MESSAGE: Final = 2000


def ready(job: EnrichJob, made: Enrichment, attempts: int) -> Change:
    """The row of an enriched asset; `attempts` counts this one."""
    values = {
        **_upload(job),
        "width": made.derived.width,
        "height": made.derived.height,
        "captured_at": made.derived.captured_at,
        "placeholder": made.derived.placeholder,
        "attempts": attempts,
        "error_code": None,
        "error_message": None,
    }
    if made.caption is not None:
        values |= {"caption": made.caption.text, "caption_by": made.caption.made_by}
    if made.embedding is not None:
        values |= {
            "vector_key": keys.vector(job.asset_id),
            "embedding": made.embedding.values,
            "embedding_by": made.embedding.made_by,
        }
    return Change(job.asset_id, job.change_id, job.expected_revision, "enriched", "ready", ACTOR, values)


def failed(job: EnrichJob, code: str, message: str, attempts: int, *, status: Status = "failed") -> Change:
    """The row of an asset that could not be enriched.

    `status` is `ready` where an earlier enrichment stands: a second one that fails must not hide it.
    """
    upload = _upload(job) if status == "failed" else {}
    values = {**upload, **failure(code, message, attempts)}
    return Change(job.asset_id, job.change_id, job.expected_revision, "failed", status, ACTOR, values)


def failure(code: str, message: str, attempts: int) -> dict[str, Any]:
    """The columns that say what went wrong."""
    return {"error_code": code, "error_message": message[:_LONGEST_MESSAGE], "attempts": attempts}


def _upload(job: EnrichJob) -> dict[str, Any]:
    """What was known when it was uploaded."""
    return {
        "filename": job.filename,
        "r2_key": job.key,
        "mime_type": job.mime_type,
        "received_at": job.received_at,
        "asset_type": "image",
        "size_bytes": job.size_bytes,
        "sha256": job.sha256,
    }
