"""What `--repair` mends, on both stores: afterwards nothing is found; what it must not touch stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam import keys
from dam.claims import Claim, claim_content, read_claim
from dam.errors import ObjectNotFoundError
from dam.ids import new_id
from dam.jobs import EnrichJob, parse
from dam.vectors import make_document
from tests.maintenance.uploads import sha256, upload
from tests.verify.test_findings import fill

if TYPE_CHECKING:
    from tests.verify.bucket import Verified


async def mended(bucket: Verified, **options: float) -> list[tuple[str, str]]:
    """Kind and what became of it, of every finding of a repair."""
    report = await bucket.verify(repair=True, **options)
    return [(finding.kind.value, finding.mending.value) for finding in report.findings]


def jobs(bucket: Verified) -> list[EnrichJob]:
    """What is queued."""
    return [parse(body) for body in bucket.queue.published]


async def is_there(bucket: Verified, key: str) -> bool:
    """Whether there is such an object."""
    try:
        await bucket.store.head(key)
    except ObjectNotFoundError:
        return False
    return True


async def test_a_missing_thumbnail_is_one_job(verified: Verified) -> None:
    """Against the row as it is, for thumbnails alone; a deleted asset is left deleted."""
    row = await fill(verified)
    for size in keys.THUMBNAIL_SIZES:
        await verified.store.delete(keys.thumbnail(row.id, size))
    assert await mended(verified) == [("thumbnail_missing", "queued")] * 2
    [job] = jobs(verified)
    assert (job.asset_id, job.expected_revision, job.wants) == (row.id, 1, ("thumbnails",))
    assert (job.sha256, job.key) == (row.sha256, row.r2_key)


async def test_a_deleted_asset_is_not_brought_back(verified: Verified) -> None:
    """Enriching it again would restore it: it is told, and left."""
    row = await verified.add_deleted("a grey heron")
    await verified.publish()
    await verified.store.delete(keys.thumbnail(row.id, 256))
    assert await mended(verified) == [("thumbnail_missing", "not possible")]
    assert jobs(verified) == []


async def test_a_vector_is_written_from_the_catalogue(verified: Verified) -> None:
    """Missing, of another model or broken: it is what the row's embedding says, and no model is asked."""
    row = await fill(verified)
    right = make_document(row.id, "clip@1", [0.5] * 4)
    await verified.store.delete(keys.vector(row.id))
    assert await mended(verified) == [("vector_missing", "mended")]
    for broken in (b"{", make_document(row.id, "clip@2", [0.5] * 4)):
        await verified.store.put(keys.vector(row.id), broken)
        assert await mended(verified) == [("vector_wrong", "mended")]
        assert (await verified.store.get(keys.vector(row.id))).data == right
    assert await verified.found() == []
    assert jobs(verified) == []


async def test_a_vector_that_nobody_has_is_made_again(verified: Verified) -> None:
    """Where the catalogue has no embedding either, the asset is queued for one."""
    row = await verified.add("a red boat", embedding=None, embedding_by=None, vector_key=None)
    await verified.publish()
    await verified.store.delete(keys.vector(row.id))
    assert await mended(verified) == [("vector_missing", "queued")]
    assert [job.wants for job in jobs(verified)] == [("embedding",)]


async def test_lost_uploads_are_queued(verified: Verified) -> None:
    """With or without a claim, as `dam reconcile` does."""
    await fill(verified)
    lost = [await upload(verified.store, b"lost"), await upload(verified.store, b"none", claimed=False)]
    assert await mended(verified) == [("row_missing", "queued")] * 2
    assert [job.asset_id for job in jobs(verified)] == lost
    claim = await read_claim(verified.store, sha256(b"none"))
    assert claim
    assert claim.id == lost[1]


async def test_a_copy_goes_only_if_it_is_the_same_byte_for_byte(verified: Verified) -> None:
    """One of a holder whose own bytes are damaged is the last good one: it stays."""
    row = await fill(verified)
    good = await upload(verified.store, b"a red boat", claimed=False)
    assert await mended(verified) == [("unclaimed_copy", "mended")]
    assert not await is_there(verified, keys.original(good, "jpg"))
    assert await verified.found() == []

    last = await upload(verified.store, b"a red boat", claimed=False)
    await verified.store.put(row.r2_key or "", b"a red boaT")
    assert sorted(await mended(verified)) == [
        ("original_damaged", "not possible"),
        ("unclaimed_copy", "not possible"),
    ]
    assert (await verified.store.get(keys.original(last, "jpg"))).data == b"a red boat"
    assert (await verified.store.get(row.r2_key or "")).data == b"a red boaT"


async def test_claims_are_written_as_the_rows_have_them(verified: Verified) -> None:
    """Missing, unreadable, another's, or a tombstone over a live asset."""
    row = await fill(verified)
    assert row.sha256
    assert row.r2_key
    right = Claim(id=row.id, key=row.r2_key, size=row.size_bytes or 0)
    other = await verified.add("a yellow boat")
    await verified.publish()
    await verified.store.delete(keys.claim(row.sha256))
    assert await mended(verified) == [("claim_missing", "mended")]
    for body in (
        b"{",
        right.model_copy(update={"status": "purged"}).to_bytes(),
        right.model_copy(update={"id": other.id}).to_bytes(),
        right.model_copy(update={"size": 7}).to_bytes(),
    ):
        await verified.store.put(keys.claim(row.sha256), body)
        assert await mended(verified) == [("claim_wrong", "mended")], body
        assert await read_claim(verified.store, row.sha256) == right
    assert await verified.found() == []


async def test_what_belongs_to_nothing_goes_when_it_is_old(verified: Verified) -> None:
    """A claim becomes a tombstone, so that an upload at the same moment loses nothing; foreign keys stay."""
    await fill(verified)
    lost, content = new_id(), "ab" * 32
    left = [keys.thumbnail(lost, 256), keys.vector(lost), keys.vector(lost, "scenes")]
    for key in (*left, "assets/notes.txt"):
        await verified.store.put(key, b"x")
    await claim_content(verified.store, content, Claim(id=lost, key=keys.original(lost, "jpg"), size=1))
    assert await mended(verified, min_age_s=3600.0) == [("foreign", "not possible")]
    assert await is_there(verified, left[0])
    assert sorted(await mended(verified)) == [
        ("claim_orphan", "mended"),
        ("foreign", "not possible"),
        ("thumbnail_orphan", "mended"),
        ("vector_orphan", "mended"),
        ("vector_orphan", "mended"),
    ]
    assert [key for key in left if await is_there(verified, key)] == []
    claim = await read_claim(verified.store, content)
    assert claim
    assert claim.status == "purged"
    assert await verified.found() == [("foreign", "assets/notes.txt")]


async def test_originals_are_never_touched(verified: Verified) -> None:
    """Damaged, doubled, left of a purge: each is named, each stays."""
    row = await fill(verified)
    second = keys.original(row.id, "png")
    await verified.store.put(second, b"another")
    await verified.store.put(row.r2_key or "", b"damaged!!!")
    assert sorted(await mended(verified)) == [
        ("original_damaged", "not possible"),
        ("original_unexpected", "not possible"),
    ]
    assert (await verified.store.get(second)).data == b"another"


async def test_a_vector_of_another_space_belongs_to_its_asset(verified: Verified) -> None:
    """As long as the asset is there it is no orphan, and no foreign object."""
    row = await fill(verified)
    await verified.store.put(keys.vector(row.id, "scenes"), b"{}")
    assert await verified.found() == []
