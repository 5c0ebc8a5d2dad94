"""What a purge takes, what it leaves, and what it must not touch."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dam import keys
from dam.catalogue import Change, Refused
from dam.claims import Claim, claim_content, read_claim
from dam.ids import new_id
from dam.purge.candidates import find_candidates
from dam.purge.sweep import is_swept

if TYPE_CHECKING:
    from tests.purge.bucket import Bucket


async def test_what_was_deleted_is_gone_and_nothing_else(either_bucket: Bucket) -> None:
    """Bytes, rows of every version and the files they lay in; its neighbours keep their whole history."""
    bucket = either_bucket
    gone = await bucket.add_deleted("a purple walrus")
    live = await bucket.add("a red boat")
    live = await bucket.change(live.id, 1, "edited", "ready", title="a title")
    assert len(await bucket.find_traces(gone, "a purple walrus")) > 5, "the search for traces finds them"
    report = await bucket.purge()
    assert (report.purged, report.kept, report.size_bytes) == ([gone.id], [], len("a purple walrus"))
    await bucket.assert_purged(gone, "a purple walrus")
    await bucket.assert_whole(live, 2)
    assert [row.title for row in await bucket.catalogue.history(live.id)] == [None, "a title"]
    assert await is_swept(bucket.store)


async def test_only_what_was_deleted_long_enough_ago(bucket: Bucket) -> None:
    """The time of the deletion counts, not that of the upload."""
    old = await bucket.add_deleted("a grey heron")
    between = datetime.now(UTC)
    new = await bucket.add_deleted("a white heron")
    await bucket.add("live")
    found = await find_candidates(bucket.catalogue, between)
    assert (found.due, found.younger, found.size_bytes) == ([old.id], 1, 12)
    assert [row.id for row in found.first] == [old.id]
    assert (await bucket.purge(between)).purged == [old.id]
    await bucket.assert_purged(old, "a grey heron")
    await bucket.assert_whole(new, 3)


async def test_an_asset_that_was_restored_is_not_found(bucket: Bucket) -> None:
    """Its row of the deletion is still in its history; what counts is the current one."""
    row = await bucket.restore(await bucket.add_deleted("a red boat"))
    assert row
    assert (await bucket.purge()).purged == []
    await bucket.assert_whole(row, 4)


async def test_a_second_purge_finds_nothing(bucket: Bucket) -> None:
    """Neither due nor unfinished; the table gets no new version by it."""
    await bucket.add_deleted("a purple walrus")
    await bucket.purge()
    version = await bucket.catalogue.version()
    found = await find_candidates(bucket.catalogue, datetime.now(UTC) + timedelta(days=1))
    assert (found.due, found.unfinished, found.younger) == ([], [], 0)
    await bucket.purge()
    assert await bucket.catalogue.version() == version


async def test_many_at_once(bucket: Bucket) -> None:
    """More than one round of them, among assets that stay."""
    rows = await asyncio.gather(*(bucket.add(f"picture {number}") for number in range(160)))
    doomed = rows[:120]
    changes = [Change(row.id, new_id(), 1, "deleted", "deleted", "person:anna") for row in doomed]
    await bucket.catalogue.commit(changes)
    report = await bucket.purge()
    assert report.purged == sorted(row.id for row in doomed)
    for row in rows[120:]:
        await bucket.assert_whole(row, 1)
    for row in (doomed[0], doomed[-1]):
        assert await bucket.find_traces(row, f"{row.caption}.jpg") == []
    assert len(await bucket.catalogue.histories([row.id for row in doomed])) == 120


async def test_the_content_may_be_uploaded_again(either_bucket: Bucket) -> None:
    """Of several uploads at once one gets it, under an id of its own; the tombstone is replaced for good."""
    bucket = either_bucket
    row = await bucket.add_deleted("a purple walrus")
    await bucket.purge()
    sha256 = hashlib.sha256(b"a purple walrus").hexdigest()
    claims = [Claim(id=key, key=keys.original(key, "jpg"), size=3) for key in (new_id() for _ in range(5))]
    holders = await asyncio.gather(*(claim_content(bucket.store, sha256, claim) for claim in claims))
    assert len({holder.id for holder in holders}) == 1
    assert holders[0] in claims
    await bucket.purge()
    assert await read_claim(bucket.store, sha256) == holders[0]
    assert [item.event for item in await bucket.catalogue.history(row.id)] == ["purged"]


async def test_a_content_that_another_asset_holds_stays_its_own(bucket: Bucket) -> None:
    """A duplicate that was taken in twice: purging the one leaves the other its claim and its bytes."""
    first = await bucket.add("a red boat")
    second = await bucket.add("a red boat")
    await bucket.delete(second)
    assert (await bucket.purge()).purged == [second.id]
    await bucket.assert_whole(first, 1)


async def test_no_row_follows_a_purged_one(bucket: Bucket) -> None:
    """A writer that knows the revision is told so: there is nothing to come back to."""
    row = await bucket.add_deleted("a purple walrus")
    await bucket.purge()
    [outcome] = await bucket.catalogue.commit(
        [Change(row.id, new_id(), 4, "restored", "ready", "person:anna")]
    )
    assert isinstance(outcome, Refused)
    assert "purged" in outcome.reason


async def test_a_failed_upload_without_a_known_original_goes_too(bucket: Bucket) -> None:
    """Its row came from a message that nobody could read; the original is found by the id."""
    asset_id = new_id()
    await bucket.store.put(keys.original(asset_id, "tif"), b"broken")
    row = await bucket.change(asset_id, 0, "failed", "failed", error_code="malformed")
    deleted = await bucket.change(row.id, 1, "deleted", "deleted")
    assert (await bucket.purge()).purged == [asset_id]
    assert await bucket.find_traces(deleted, "malformed") == []
