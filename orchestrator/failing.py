"""Writes `failed` rows: every outcome is in the catalogue.

Called by `settling` and `deadletters`. A second enrichment that fails must never hide the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator import rows

if TYPE_CHECKING:
    from dam.jobs import EnrichJob
    from orchestrator.committing import Committer, Durable


async def record_failure(
    committer: Committer, job: EnrichJob, code: str, message: str, attempts: int
) -> Durable:
    """Commit the failure of `job`; raises what `Committer.commit` raises."""
    stands = False
    if job.expected_revision > 0:
        row = await committer.current(job.asset_id)
        stands = row is not None and row.status == "ready"
    change = rows.failed(job, code, message, attempts, status="ready" if stands else "failed")
    return await committer.commit(change)
