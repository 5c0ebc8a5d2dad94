"""One asset's way through the orchestrator: what ends up in the bucket and in the catalogue."""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from dam import keys
from dam.catalogue.changes import Change
from dam.errors import ObjectNotFoundError
from dam.ids import new_id
from orchestrator.deriving import RENDITION_SIDE
from tests.orchestrator.bento import DIM, caption, embed
from tests.orchestrator.rig import RECEIVED_AT, draw, job_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.orchestrator.rig import Rig


async def test_an_upload_becomes_a_row_a_vector_and_thumbnails(rig: Rig) -> None:
    """Every column that the orchestrator knows is filled; vector and thumbnails lie where the row says."""
    exif = Image.Exif()
    exif[0x0132] = "2024:06:07 08:09:10"
    data = draw(1, (1600, 1200), exif=exif)
    async with rig.orchestrator():
        job = await rig.upload(data, filename="holiday.jpg")
        row = await rig.row(job)
    assert (row.id, row.revision, row.change_id) == (job.asset_id, 1, job.change_id)
    assert (row.event, row.status, row.actor) == ("enriched", "ready", "orchestrator")
    assert (row.filename, row.r2_key, row.mime_type) == ("holiday.jpg", job.key, "image/jpeg")
    assert (row.caption, row.caption_by) == (caption(data), "tiny-blip@r1")
    assert (row.vector_key, row.embedding_by) == (keys.vector(job.asset_id), "tiny-clip@r2")
    assert await rig.embedding(job) == pytest.approx(embed(data), abs=1e-6)
    assert (row.size_bytes, row.sha256, row.asset_type) == (len(data), job.sha256, "image")
    assert (row.width, row.height, row.attempts) == (1600, 1200, 1)
    assert row.received_at == RECEIVED_AT
    assert row.captured_at == datetime(2024, 6, 7, 8, 9, 10, tzinfo=UTC)
    assert row.placeholder
    assert (row.error_code, row.error_message) == (None, None)
    vector = await rig.vector(job)
    assert vector == {"id": job.asset_id, "model": "tiny-clip@r2", "dim": DIM, "embedding": embed(data)}
    for size in keys.THUMBNAIL_SIZES:
        stored = await rig.store.head(keys.thumbnail(job.asset_id, size))
        webp = await rig.store.get(stored.key)
        assert stored.content_type == "image/webp"
        assert max(Image.open(io.BytesIO(webp.data)).size) == size


async def test_only_what_a_job_wants_is_made(rig: Rig) -> None:
    """A job that wants a caption asks for no embedding and writes no thumbnails."""
    data = draw(2)
    async with rig.orchestrator():
        job = await rig.upload(data, wants=("caption",))
        row = await rig.row(job)
    assert (row.caption, row.vector_key, row.embedding_by) == (caption(data), None, None)
    assert set(rig.bento.asked) == {("/caption", data)}
    for key in (keys.vector(job.asset_id), keys.thumbnail(job.asset_id, 256)):
        with pytest.raises(ObjectNotFoundError):
            await rig.store.head(key)


async def test_many_assets_are_in_flight_so_that_the_bento_can_batch(rig: Rig) -> None:
    """Caption and embedding of many pictures are asked for at the same time, and all of them arrive."""
    rig.bento.delay_s = 0.3
    jobs = [await rig.upload(draw(number)) for number in range(20)]
    async with rig.orchestrator(prefetch=16):
        await rig.settled()
    rows = await rig.catalogue.current([job.asset_id for job in jobs])
    assert [rows[job.asset_id].status for job in jobs] == ["ready"] * 20
    assert rig.bento.most_in_flight > 16
    assert await rig.catalogue.version() < 20  # several rows to a commit


async def test_an_original_too_heavy_for_the_bento_is_sent_as_a_rendition(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Bento gets a JPEG of bounded size; the row describes the original, whose file is gone again."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    data = draw(3, (3000, 1000), format="PNG", compress_level=0)
    async with rig.orchestrator(bento_max_bytes=1_000_000):
        job = await rig.upload(data, mime_type="image/png")
        row = await rig.row(job)
    assert (row.status, row.width, row.height) == ("ready", 3000, 1000)
    ((_, sent),) = {(None, sent) for _, sent in rig.bento.asked}
    picture = Image.open(io.BytesIO(sent))
    assert (picture.format, max(picture.size)) == ("JPEG", RENDITION_SIDE)
    assert len(sent) < 1_000_000
    assert list(folder.iterdir()) == []


async def test_a_job_delivered_twice_at_once_to_two_orchestrators_makes_one_row(rig: Rig) -> None:
    """At-least-once delivery never shows: one revision, and nothing stays queued."""
    rig.bento.delay_s = 0.1
    data = draw(4)
    job = await rig.upload(data)
    await rig.queue.publish(job.to_bytes())
    async with rig.orchestrator(prefetch=1), rig.orchestrator(prefetch=1):
        await rig.settled()
    assert rig.bento.asked["/caption", data] == 2  # both worked on it
    assert [row.revision for row in await rig.catalogue.history(job.asset_id)] == [1]


async def test_a_repeated_upload_of_a_ready_asset_is_superseded(rig: Rig) -> None:
    """A second job with its own change id leaves the row of the first as it is, and is acknowledged."""
    data = draw(5)
    async with rig.orchestrator():
        job = await rig.upload(data)
        first = await rig.row(job)
        await rig.upload(data, asset_id=job.asset_id)
        await rig.settled()
    assert await rig.catalogue.history(job.asset_id) == [first]


async def test_a_repeated_upload_of_a_failed_asset_is_a_retry(rig: Rig) -> None:
    """It expects no row, finds a failed one and makes the next revision, whose error columns are empty."""
    data = draw(6)
    rig.bento.faults[data] = "422"
    async with rig.orchestrator():
        job = await rig.upload(data)
        failed = await rig.row(job)
        rig.bento.faults.clear()
        await rig.upload(data, asset_id=job.asset_id)
        row = await rig.row_where(job, lambda row: row.status == "ready")
    assert (failed.status, failed.error_code) == ("failed", "code_422")
    assert (row.revision, row.error_code, row.error_message) == (2, None, None)


async def test_a_second_enrichment_that_fails_does_not_hide_the_first(rig: Rig) -> None:
    """The asset stays ready with its old values; the failure is a revision of its own."""
    data = draw(7)
    async with rig.orchestrator():
        job = await rig.upload(data)
        first = await rig.row(job)
        rig.bento.faults[data] = "422"
        await rig.upload(data, asset_id=job.asset_id, expected_revision=1)
        row = await rig.row_where(job, lambda row: row.revision == 2)
    assert (row.event, row.status, row.error_code) == ("failed", "ready", "code_422")
    assert (row.caption, row.width) == (first.caption, first.width)


async def test_an_edit_wins_over_an_enrichment_that_comes_late(rig: Rig) -> None:
    """A job that expected revision 1 finds a person's revision 2 and leaves it alone."""
    data = draw(8)
    async with rig.orchestrator():
        job = await rig.upload(data)
        await rig.row(job)
        edit = Change(job.asset_id, new_id(), 1, "edited", "ready", "person:anna", {"caption": "Mine"})
        await rig.catalogue.commit([edit])
        await rig.upload(data, asset_id=job.asset_id, expected_revision=1)
        await rig.settled()
    row = await rig.row(job)
    assert (row.revision, row.caption) == (2, "Mine")


async def test_a_job_whose_row_was_written_before_a_crash_costs_no_second_inference(rig: Rig) -> None:
    """A redelivered job with its change committed is acknowledged unworked."""
    data = draw(9)
    async with rig.orchestrator():
        job = await rig.upload(data)
        await rig.row(job)
        await rig.settled()
    await rig.queue.publish(job.to_bytes())
    async with rig.queue.consume(1) as deliveries:
        await anext(aiter(deliveries))
        rig.queue.lose_consumer()
    async with rig.orchestrator():
        await rig.settled()
    assert rig.bento.asked["/caption", data] == 1


async def test_the_bytes_in_hand_are_bounded(rig: Rig) -> None:
    """However many jobs are prefetched, no more originals are held than the setting allows."""
    rig.bento.delay_s = 0.05
    jobs = [await rig.upload(draw(number, (200, 200))) for number in range(6)]
    async with rig.orchestrator(bytes_in_flight=jobs[0].size_bytes):
        await rig.settled()
    assert rig.bento.most_in_flight == 2  # caption and embedding of one picture
    assert len(await rig.catalogue.current([job.asset_id for job in jobs])) == 6


async def test_unknown_fields_of_a_job_are_ignored(rig: Rig) -> None:
    """A newer ingest may say more than this version reads."""
    data = draw(10)
    job = job_for(data)
    await rig.store.put(job.key, data)
    await rig.queue.publish(job.to_bytes()[:-1] + b',"priority":9}')
    async with rig.orchestrator():
        assert (await rig.row(job)).status == "ready"
    await asyncio.sleep(0)
