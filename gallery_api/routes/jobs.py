"""What runs, what failed and why; retries."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from gallery_api.answers.operations import Jobs, Retried
from gallery_api.filters import DEFAULT_LIMIT, MOST_AT_ONCE
from gallery_api.routes.described import CONFLICT, NOT_FOUND, UNAVAILABLE, AssetId, Here

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=UNAVAILABLE)


@router.get("", summary="The queue and the failures")
async def list_jobs(
    gallery: Here,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE)] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="Of the failed assets.")] = None,
) -> Jobs:
    """How many jobs are where, and the failed assets with reason and attempts, newest first."""
    return await gallery.jobs.show(limit, cursor)


@router.post("/retry", status_code=202, summary="Retry everything that failed")
async def retry_all_jobs(gallery: Here) -> Retried:
    """Queue every failed asset again."""
    return await gallery.jobs.retry_all()


@router.post(
    "/{asset_id}/retry", status_code=202, responses=NOT_FOUND | CONFLICT, summary="Retry one failed asset"
)
async def retry_job(gallery: Here, asset_id: AssetId) -> Retried:
    """Queue it again; until it has ended it stays `failed`. 409 where it has not failed."""
    return await gallery.jobs.retry(asset_id)
