"""A sound bucket of the original project: taken over whole, and nothing of it is changed."""

from __future__ import annotations

import json

import pytest

from dam import keys
from dam.catalogue.storage import TableHandle
from dam.claims import read_claim
from dam.jobs import parse
from dam.store.delta import delta_location
from tests.adopt.bucket import MODEL, Former
from tests.adopt.original import draw, vector_of
from tests.maintenance.uploads import sha256
from tests.orchestrator.bento import embed


def embeddings(former: Former) -> dict[str, list[float]]:
    """The catalogue's vectors, by asset."""
    handle = TableHandle.open(*delta_location(former.settings))
    rows = handle.scan(["id", "embedding"], "embedding IS NOT NULL").read_all().to_pylist()
    return {row["id"]: row["embedding"] for row in rows}


@pytest.mark.parametrize("prefix", ["assets/", "originals/2024/"])
async def test_a_dry_run_changes_not_one_byte(either_former: Former, prefix: str) -> None:
    """It counts what would be; every key and etag stays, and no catalogue is made."""
    either_former.worker.prefix = prefix
    await either_former.worker.process_all(5)
    before = await either_former.describe()
    report = await either_former.look(vectors_by=MODEL)
    assert (report.originals, report.rows, report.taken) == (5, 5, 5)
    assert (report.with_caption, report.with_vector, report.queued) == (5, 5, 0)
    assert (report.oddities, report.is_whole, report.has_work) == ([], True, True)
    assert await either_former.describe() == before


@pytest.mark.parametrize("prefix", ["assets/", "originals/2024/"])
async def test_a_bucket_is_taken_over_with_its_vectors(either_former: Former, prefix: str) -> None:
    """Captions, names, vectors are kept; nothing is queued, nothing of the original's changes."""
    either_former.worker.prefix = prefix
    ids = await either_former.worker.process_all(5)
    before = await either_former.describe()
    async with either_former.open() as adopting:
        report = await adopting.adopt(vectors_by=MODEL)
        assert (report.taken, report.with_caption, report.with_vector, report.queued) == (5, 5, 5, 0)
        assert adopting.verified.queue.published == []
        now = await either_former.describe()
        assert {key: now.get(key) for key in before} == before
        rows = await adopting.verified.catalogue.current(ids)
        for at, asset_id in enumerate(ids):
            row = rows[asset_id]
            assert (row.filename, row.caption) == (f"Füße {at}.jpg", f"caption {at}")
            assert (row.r2_key, row.mime_type) == (f"{prefix}{asset_id}.jpg", "image/jpeg")
            assert (row.caption_by, row.embedding_by) == ("original@unknown", MODEL)
            assert (row.revision, row.event, row.status, row.actor) == (1, "enriched", "ready", "adopt")
            assert (row.width, row.height, row.sha256) == (400, 300, sha256(draw(at)))
            claim = await read_claim(either_former.store, sha256(draw(at)))
            assert claim
            assert (claim.id, claim.key) == (asset_id, row.r2_key)
            stored = json.loads((await either_former.store.get(keys.vector(asset_id))).data)
            assert (stored["model"], stored["embedding"]) == (MODEL, vector_of(at))
        assert embeddings(either_former) == {asset_id: vector_of(at) for at, asset_id in enumerate(ids)}
        await adopting.check_well()


@pytest.mark.parametrize("prefix", ["assets/", "originals/2024/"])
async def test_without_a_model_the_vectors_are_made_anew(either_former: Former, prefix: str) -> None:
    """Each asset is queued for its embedding alone; the orchestrator makes it, and the caption stays."""
    either_former.worker.prefix = prefix
    ids = await either_former.worker.process_all(4)
    before = await either_former.describe()
    async with either_former.open() as adopting:
        report = await adopting.adopt()
        assert (report.taken, report.with_vector, report.queued) == (4, 0, 4)
        jobs = [parse(body) for body in adopting.verified.queue.published]
        assert {(job.wants, job.expected_revision, job.mime_type) for job in jobs} == {
            (("embedding",), 1, "image/jpeg")
        }
        await adopting.enrich()
        rows = await adopting.verified.catalogue.current(ids)
        for at, asset_id in enumerate(ids):
            row = rows[asset_id]
            assert (row.revision, row.caption, row.filename) == (2, f"caption {at}", f"Füße {at}.jpg")
            assert (row.caption_by, row.embedding_by) == ("original@unknown", "tiny-clip@r2")
            assert embeddings(either_former)[asset_id] == pytest.approx(embed(draw(at)))
        now = await either_former.describe()
        assert {key: now[key] for key in before} == before
        await adopting.check_well()


async def test_a_second_run_has_nothing_to_do(either_former: Former) -> None:
    """Dry or real, before and after the snapshot was published, it changes not one byte."""
    await either_former.worker.process_all(3)
    async with either_former.open() as adopting:
        await adopting.adopt(vectors_by=MODEL)
        for publish in (False, True):
            if publish:
                await adopting.verified.publish()
            before = await either_former.describe()
            for report in (await adopting.adopt(vectors_by=MODEL), await either_former.look()):
                assert (report.known, report.taken, report.has_work) == (3, 0, False)
                assert (report.rows, report.oddities) == (3, [])
            assert await either_former.describe() == before
        assert adopting.verified.queue.published == []
