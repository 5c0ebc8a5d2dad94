"""An adopted asset is an asset like any other: shown, found, edited, mended, deleted and purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from dam import keys
from dam.errors import ObjectNotFoundError
from dam.jobs import parse
from dam.maintenance import failures
from gallery_api.settings import GallerySettings
from tests.adopt.bucket import MODEL, Former
from tests.adopt.original import draw, vector_of
from tests.gallery.rig import open_rig

if TYPE_CHECKING:
    from pathlib import Path


async def _is_there(former: Former, key: str) -> bool:
    try:
        await former.store.head(key)
    except ObjectNotFoundError:
        return False
    return True


async def test_the_gallery_shows_finds_and_edits_it(former: Former, tmp_path: Path) -> None:
    """Listed, with thumbnail and original; found by its old caption and by its old vector; edited."""
    former.worker.prefix = "images/"
    ids = [await former.worker.process(draw(at), f"a boat {at}") for at in range(3)]
    async with former.open() as adopting:
        await adopting.adopt(vectors_by=MODEL)
    settings = GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none")
    async with open_rig(settings) as rig:
        await rig.index()
        assert sorted(await rig.ids()) == sorted(ids)
        assert sorted(await rig.search(q="boat", mode="text")) == ["a boat 0", "a boat 1", "a boat 2"]
        assert (await rig.client.get(f"/assets/{ids[0]}/original")).content == draw(0)
        thumbnail = await rig.client.get(f"/assets/{ids[0]}/thumbnail/256")
        assert thumbnail.headers["content-type"] == "image/webp"
        assert set(await rig.ids_found(like=ids[0])) >= set(ids[1:])
        assert (await rig.get(f"/assets/{ids[0]}/vector"))["embedding"] == vector_of(0)
        assert await rig.ids(status="pending") == []
        edited = await rig.edit(ids[0], 1, caption="a ship")
        assert edited.status_code == httpx.codes.OK
        history = await rig.get(f"/assets/{ids[0]}/history")
        assert [item["actor"] for item in history["items"]] == ["person:anonymous", "adopt"]


@pytest.mark.parametrize("prefix", ["assets/", "images/"])
async def test_what_it_loses_is_mended(either_former: Former, prefix: str) -> None:
    """A thumbnail by a job, the vector from the catalogue; the original's vector is never touched."""
    either_former.worker.prefix = prefix
    [asset_id] = await either_former.worker.process_all(1)
    old = (await either_former.store.get(f"vectors/{asset_id}.json")).data
    async with either_former.open() as adopting:
        await adopting.adopt(vectors_by=MODEL)
        await adopting.verified.publish()
        await either_former.store.delete(keys.vector(asset_id))
        await either_former.store.delete(keys.thumbnail(asset_id, 256))
        report = await adopting.verified.verify(repair=True)
        assert sorted((finding.kind.value, finding.mending.value) for finding in report.findings) == [
            ("thumbnail_missing", "queued"),
            ("vector_missing", "mended"),
        ]
        [job] = [parse(body) for body in adopting.verified.queue.published]
        assert job.mime_type == "image/jpeg"
        await adopting.enrich()
        await adopting.check_well()
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert (row.revision, row.caption, row.mime_type) == (2, "caption 0", "image/jpeg")
    assert (await either_former.store.get(f"vectors/{asset_id}.json")).data == old


@pytest.mark.parametrize("prefix", ["assets/", "images/"])
async def test_a_purge_leaves_no_byte_of_it(either_former: Former, prefix: str) -> None:
    """It takes the original, and both vectors: the old one was made of the picture too."""
    either_former.worker.prefix = prefix
    kept, gone = await either_former.worker.process_all(2)
    async with either_former.open() as adopting:
        await adopting.adopt(vectors_by=MODEL)
        row = (await adopting.verified.catalogue.current([gone]))[gone]
        await adopting.verified.delete(row)
        await adopting.verified.purge()
        left = [key for key in await either_former.describe() if gone in key]
        assert left == []
        assert await _is_there(either_former, f"{prefix}{kept}.jpg")
        assert await _is_there(either_former, f"vectors/{kept}.json")
        report = await adopting.adopt(vectors_by=MODEL)
        assert (report.has_work, report.oddities) == (False, [])
        await adopting.check_well()


async def test_a_vector_of_ours_that_is_left_over(former: Former) -> None:
    """Of an adoption that was cut off, and whose original then went: found and removed; the old one stays."""
    asset_id = await former.worker.process(draw(0), "a boat")
    await former.worker.process(draw(1), "a house")
    await former.store.delete(f"assets/{asset_id}.jpg")
    await former.store.put(keys.vector(asset_id), b"{}")
    async with former.open() as adopting:
        await adopting.adopt(vectors_by=MODEL)
        await adopting.verified.publish()
        report = await adopting.verified.verify(repair=True)
        told = [(finding.kind.value, finding.key, finding.mending.value) for finding in report.findings]
        assert told == [("vector_orphan", keys.vector(asset_id), "mended")]
        assert await _is_there(former, f"vectors/{asset_id}.json")
        await adopting.check_well()


async def test_one_that_failed_is_retried(former: Former) -> None:
    """As `dam jobs retry` does it: its type is told by its bytes, where the original's worker gave none."""
    former.worker.prefix = "images/"
    asset_id = await former.worker.process(draw(0)[:-200], "a boat")
    async with former.open() as adopting:
        await adopting.adopt()
        [row] = await failures.find_failed(adopting.verified.catalogue, [asset_id])
        await failures.retry(row, former.store, adopting.verified.queue)
        [job] = [parse(body) for body in adopting.verified.queue.published]
        assert (job.mime_type, job.key, job.expected_revision) == ("image/jpeg", row.r2_key, 1)
        await adopting.enrich()
        [row] = await failures.find_failed(adopting.verified.catalogue, [asset_id])
        assert (row.caption, row.error_code) == ("a boat", "truncated")
