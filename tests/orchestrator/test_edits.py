"""What people write of an asset stands, whenever the models come to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.catalogue import Change, Committed
from dam.ids import new_id
from tests.orchestrator.bento import caption
from tests.orchestrator.rig import draw, job_for

if TYPE_CHECKING:
    from typing import Any

    from dam.jobs import EnrichJob
    from tests.orchestrator.rig import Rig

EDIT = {"caption": "my own words", "caption_by": "person:anna", "filename": "mine.jpg", "title": "Mine"}


async def commit(rig: Rig, job: EnrichJob, expected: int, event: Any, **values: Any) -> None:
    """A row as failures and the gallery write them."""
    change = Change(job.asset_id, new_id(), expected, event, "failed", "person:anna", values)
    [outcome] = await rig.catalogue.commit([change])
    assert isinstance(outcome, Committed)


async def failed(rig: Rig, data: bytes) -> EnrichJob:
    """An asset whose first enrichment failed."""
    job = job_for(data, filename="upload.jpg")
    await rig.store.put(job.key, data, content_type=job.mime_type)
    await commit(rig, job, 0, "failed", filename="upload.jpg", error_code="crashed_worker")
    return job


async def retry(rig: Rig, job: EnrichJob, expected: int) -> None:
    again = job.model_copy(update={"change_id": new_id(), "expected_revision": expected})
    await rig.queue.publish(again.to_bytes())


async def test_a_retry_after_an_edit_keeps_it(rig: Rig) -> None:
    """Name and caption are the person's; what only a model can say is filled in."""
    job = await failed(rig, draw(1))
    await commit(rig, job, 1, "edited", **EDIT)
    await retry(rig, job, 2)
    async with rig.orchestrator():
        row = await rig.row_where(job, lambda row: row.status == "ready")
    assert {name: getattr(row, name) for name in EDIT} == EDIT
    assert (row.revision, row.error_code, row.width) == (3, None, 64)
    assert row.embedding_by is not None


async def test_an_edit_after_the_retry_was_queued_is_kept(rig: Rig) -> None:
    """The job knows the revision before it: its result is laid on the edited row."""
    job = await failed(rig, draw(2))
    await retry(rig, job, 1)
    await commit(rig, job, 1, "edited", **EDIT)
    async with rig.orchestrator():
        row = await rig.row_where(job, lambda row: row.status == "ready")
    assert {name: getattr(row, name) for name in EDIT} == EDIT
    assert row.revision == 3


async def test_without_an_edit_a_retry_brings_the_caption(rig: Rig) -> None:
    """A model's caption is replaced by a model's."""
    data = draw(3)
    job = await failed(rig, data)
    await commit(rig, job, 1, "edited", title="Mine", caption="an old model's", caption_by="blip@0")
    await retry(rig, job, 2)
    async with rig.orchestrator():
        row = await rig.row_where(job, lambda row: row.status == "ready")
    assert (row.caption, row.title, row.filename) == (caption(data), "Mine", "upload.jpg")
