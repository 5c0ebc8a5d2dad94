"""Each kind of damage, done to a bucket in a folder and on a real S3 server: it is found, and no other."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.claims import Claim, change_claim, claim_content
from dam.ids import new_id
from dam.vectors import make_document
from tests.maintenance.uploads import sha256, upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.catalogue import Row
    from tests.verify.bucket import Verified


async def fill(bucket: Verified) -> Row:
    """Assets in every state that is in order, and the snapshot of them; one of them is returned."""
    row = await bucket.add("a red boat")
    edited = await bucket.add("a blue boat")
    await bucket.change(edited.id, 1, "edited", "ready", title="a title")
    await bucket.add_deleted("a grey heron")
    await bucket.add_deleted("a purple walrus")
    await bucket.purge()
    await bucket.add_deleted("a white heron")
    await bucket.change(await upload(bucket.store, b"broken"), 0, "failed", "failed", error_code="truncated")
    await bucket.publish()
    return row


@pytest.mark.parametrize("quick", [False, True])
async def test_a_bucket_in_order_is_clean(verified: Verified, *, quick: bool) -> None:
    """Live, edited, deleted, purged and failed assets, tombstones, and a snapshot: nothing is found."""
    await fill(verified)
    report = await verified.verify(quick=quick)
    assert report.findings == []
    assert report.is_clean
    assert (report.assets, report.originals) == (6, 4)
    assert (report.hashed_bytes == 0) is quick


async def test_an_empty_bucket_is_clean(verified: Verified) -> None:
    """There is nothing that could be wrong."""
    assert (await verified.verify()).is_clean


async def test_what_belongs_to_an_asset_and_is_missing(verified: Verified) -> None:
    """Thumbnail, vector, claim and original: each by its key, with the asset."""
    row = await fill(verified)
    gone = [
        ("claim_missing", keys.claim(row.sha256 or "")),
        ("original_missing", row.r2_key or ""),
        ("thumbnail_missing", keys.thumbnail(row.id, 256)),
        ("vector_missing", keys.vector(row.id)),
    ]
    for _, key in gone:
        await verified.store.delete(key)
    for quick in (False, True):
        report = await verified.verify(quick=quick)
        assert sorted((item.kind.value, item.key) for item in report.findings) == gone
        assert {item.asset_id for item in report.findings} == {row.id}


@pytest.mark.parametrize("damage", [b"a red boaT", b"a red"])
async def test_an_original_that_is_another(verified: Verified, damage: bytes) -> None:
    """One changed byte is found by its hash, a cut by its length; a quick look sees only the latter."""
    row = await fill(verified)
    assert row.r2_key
    await verified.store.put(row.r2_key, damage)
    wrong = [("original_damaged", row.r2_key)]
    assert await verified.found() == wrong
    assert await verified.found(quick=True) == (wrong if len(damage) == 5 else [])


@pytest.mark.parametrize(
    ("model", "numbers"), [("clip@2", [0.5] * 4), ("clip@1", [0.5] * 5), ("clip@1", []), (None, [])]
)
async def test_a_vector_that_is_another(verified: Verified, model: str | None, numbers: list[float]) -> None:
    """Of another model, of another dimension, empty, or no JSON at all."""
    row = await fill(verified)
    body = make_document(row.id, model, numbers) if model else b"{"
    await verified.store.put(keys.vector(row.id), body)
    assert await verified.found() == [("vector_wrong", keys.vector(row.id))]


async def test_what_belongs_to_nothing(verified: Verified) -> None:
    """Thumbnails, vectors and claims without an asset, those a purge left behind, and keys of nobody."""
    await fill(verified)
    purged = (await anext(purged_rows(verified)))[-1].id
    lost, content = new_id(), "ab" * 32
    left = [
        ("claim_orphan", keys.claim(content)),
        ("foreign", "assets/notes.txt"),
        ("foreign", "hashes/notes.txt"),
        ("thumbnail_orphan", keys.thumbnail(lost, 256)),
        ("thumbnail_orphan", keys.thumbnail(purged, 256)),
        ("vector_orphan", keys.vector(lost)),
    ]
    for _, key in left[1:]:
        await verified.store.put(key, b"x")
    await claim_content(verified.store, content, Claim(id=lost, key=keys.original(lost, "jpg"), size=1))
    assert sorted(await verified.found()) == sorted(left)
    young = await verified.found(min_age_s=3600.0)
    assert young == [item for item in left if item[0] == "foreign"]


async def test_uploads_without_a_row(verified: Verified) -> None:
    """An original without a row is lost work; a copy that another asset holds is told from it."""
    row = await fill(verified)
    lost = await upload(verified.store, b"lost")
    unclaimed = await upload(verified.store, b"unclaimed", claimed=False)
    copy = await upload(verified.store, b"a red boat", claimed=False)
    wrong = [
        ("row_missing", keys.original(lost, "jpg")),
        ("row_missing", keys.original(unclaimed, "jpg")),
        ("unclaimed_copy", keys.original(copy, "jpg")),
    ]
    report = await verified.verify()
    assert [(item.kind.value, item.key) for item in report.findings] == wrong
    assert row.r2_key
    assert row.r2_key in report.findings[2].problem
    assert await verified.found(min_age_s=3600.0) == []


async def test_work_that_waits_in_the_queue_is_not_lost(verified: Verified) -> None:
    """As long as there are jobs, an original without a row is pending, however old it is."""
    await upload(verified.store, b"waiting")
    await verified.queue.publish(b"{}")
    report = await verified.verify()
    assert (report.is_clean, report.pending) == (True, 1)


async def test_a_claim_that_says_something_else(verified: Verified) -> None:
    """Another key, another state, or nothing that can be read."""
    row = await fill(verified)
    assert row.sha256
    assert row.r2_key
    wrong = [("claim_wrong", keys.claim(row.sha256))]
    right = Claim(id=row.id, key=row.r2_key, size=row.size_bytes or 0)
    for changed in ({"key": "assets/x.jpg"}, {"status": "deleted"}, {"status": "purged"}, {"size": 1}):
        await change_claim(verified.store, row.sha256, right.model_copy(update=changed))
        assert await verified.found() == wrong, changed
    await verified.store.put(keys.claim(row.sha256), b"{")
    assert await verified.found() == wrong


async def test_a_claim_of_an_asset_without_that_content(verified: Verified) -> None:
    """It keeps the content from the one that has it."""
    row = await fill(verified)
    other = await verified.add("a yellow boat")
    assert row.sha256
    assert other.r2_key
    stolen = Claim(id=other.id, key=other.r2_key, size=1)
    await verified.store.put(keys.claim(row.sha256), stolen.to_bytes())
    await verified.publish()
    assert await verified.found() == [("claim_wrong", keys.claim(row.sha256))]


async def test_two_assets_of_one_content_are_in_order(verified: Verified) -> None:
    """Taken in twice before the claim was there: both have their row, one holds the claim."""
    row = await verified.add("a red boat")
    await verified.add("a red boat")
    await verified.publish()
    assert row.sha256 == hashlib.sha256(b"a red boat").hexdigest() == sha256(b"a red boat")
    assert await verified.found() == []


async def purged_rows(bucket: Verified) -> AsyncIterator[list[Row]]:
    """Histories of the assets that were purged."""
    async for original in bucket.store.list(keys.HASHES):
        claim = Claim.model_validate_json((await bucket.store.get(original.key)).data)
        if claim.status == "purged":
            yield [row for row in await bucket.catalogue.history(claim.id) if row.event == "purged"]
