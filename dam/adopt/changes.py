"""The catalogue's changes and the job that an adoption makes. Pure, and the same each time.

Change ids are made of the asset and its content, so that what was cut off and is done again is recognised.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from dam import keys
from dam.catalogue.changes import Change

if TYPE_CHECKING:
    from dam.adopt.assessing import Assessment
    from dam.adopt.originals import Derived
    from dam.errors import PictureError
    from dam.jobs import EnrichJob

ACTOR: Final = "adopt"
CAPTION_BY: Final = "original@unknown"
"""Captions of the original project: by a model that nobody wrote down."""

_NAMESPACE: Final = uuid.UUID("0b7d6d4e-9d0c-5b55-8d0e-3f6f0a1c2e20")


def adopted(assessment: Assessment, job: EnrichJob, derived: Derived, vectors_by: str | None) -> Change:
    """The row of an asset that was taken over."""
    values = {
        **_known(assessment, job),
        "width": derived.width,
        "height": derived.height,
        "captured_at": derived.captured_at,
        "placeholder": derived.placeholder,
    }
    if assessment.vector is not None:
        values |= {
            "vector_key": keys.vector(job.asset_id),
            "embedding": assessment.vector,
            "embedding_by": vectors_by,
        }
    return Change(job.asset_id, _id_of(job, "row"), 0, "enriched", "ready", ACTOR, values)


def failed(assessment: Assessment, job: EnrichJob, error: PictureError) -> Change:
    """The row of an original that cannot be shown: in the gallery, with its reason and its old caption."""
    values = {
        **_known(assessment, job),
        "error_code": error.code,
        "error_message": str(error),
        "attempts": 1,
    }
    return Change(job.asset_id, _id_of(job, "row"), 0, "failed", "failed", ACTOR, values)


def recaptioned(asset_id: str, revision: int, caption: str, status: Any) -> Change:
    """The old caption for a row that somebody else made without one."""
    values = {"caption": caption, "caption_by": CAPTION_BY}
    change_id = str(uuid.uuid5(_NAMESPACE, f"{asset_id} {revision} caption"))
    return Change(asset_id, change_id, revision, "edited", status, ACTOR, values)


def queued(assessment: Assessment, job: EnrichJob) -> EnrichJob:
    """The job for what only the models can make, against the row that is about to be committed."""
    update = {"change_id": _id_of(job, "job"), "expected_revision": 1, "wants": assessment.wants}
    return job.model_copy(update=update)


def _known(assessment: Assessment, job: EnrichJob) -> dict[str, Any]:
    values = {
        "filename": job.filename,
        "r2_key": job.key,
        "mime_type": job.mime_type,
        "received_at": job.received_at,
        "asset_type": "image",
        "size_bytes": job.size_bytes,
        "sha256": job.sha256,
    }
    if assessment.caption is not None:
        values |= {"caption": assessment.caption, "caption_by": CAPTION_BY}
    return values


def _id_of(job: EnrichJob, what: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{job.asset_id} {job.sha256} {what}"))
