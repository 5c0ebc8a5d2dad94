"""What can be wrong with such a bucket: each is told with its key, and what can be taken is taken."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from dam import keys
from dam.adopt.former import FormerTableError
from dam.claims import read_claim
from dam.jobs import parse
from tests.adopt.bucket import MODEL, Adopting, Former
from tests.adopt.original import DIM, TABLE, draw
from tests.maintenance.uploads import sha256, upload

if TYPE_CHECKING:
    from dam.adopt.report import Report


def odd(report: Report) -> list[tuple[str, str]]:
    """Kind and key."""
    return [(item.kind.value, item.key) for item in report.oddities]


async def take(former: Former, adopting: Adopting) -> Report:
    """A dry run, then the real one: both say the same."""
    foreseen, report = await former.look(vectors_by=MODEL), await adopting.adopt(vectors_by=MODEL)
    assert odd(foreseen) == odd(report)
    counted = ("taken", "with_caption", "with_vector", "queued", "failed", "recaptioned")
    assert [getattr(foreseen, name) for name in counted] == [getattr(report, name) for name in counted]
    return report


async def test_a_row_without_its_original(either_former: Former) -> None:
    """It cannot be taken, is named each time, and stays in the kept table; a wrong prefix is guessed at."""
    lost, _ = await either_former.worker.process_all(2)
    await either_former.store.delete(f"assets/{lost}.jpg")
    elsewhere = str(uuid.uuid4())
    key = f"images/{elsewhere}.jpg"
    await either_former.worker.grow({"id": elsewhere, "filename": "a.jpg", "r2_key": key, "caption": None})
    async with either_former.open() as adopting:
        report = await take(either_former, adopting)
        assert sorted(odd(report)) == sorted(
            [("row_without_original", f"assets/{lost}.jpg"), ("row_without_original", key)]
        )
        assert (report.taken, report.is_whole) == (1, False)
        [told] = [item.problem for item in report.oddities if item.key == key]
        assert "--prefix images/" in told
        assert (await adopting.adopt()).counts == report.counts
        await adopting.check_well()


async def test_an_original_without_a_row(either_former: Former) -> None:
    """It becomes an asset all the same: under the name of its key, captioned anew."""
    asset_id = str(uuid.uuid4())
    key = f"assets/{asset_id}.jpg"
    await either_former.store.put(key, draw(1))
    async with either_former.open() as adopting:
        report = await take(either_former, adopting)
        assert odd(report) == [("original_without_row", key), ("vector_missing", f"vectors/{asset_id}.json")]
        assert (report.taken, report.queued, report.is_whole) == (1, 1, True)
        [job] = [parse(body) for body in adopting.verified.queue.published]
        assert job.wants == ("caption", "embedding")
        await adopting.enrich()
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert (row.filename, row.caption_by) == (f"{asset_id}.jpg", "tiny-blip@r1")
        assert row.mime_type == "image/jpeg"
        await adopting.check_well()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[1, 2", "vector_broken"),
        (b"{}", "vector_broken"),
        (b'"text"', "vector_broken"),
        (json.dumps([0.0] * DIM).encode(), "vector_broken"),
        (json.dumps([*[1.0] * (DIM - 1), "1"]).encode(), "vector_broken"),
        (b"[NaN" + b", 1.0" * (DIM - 1) + b"]", "vector_broken"),
        (b"[1e39" + b", 1.0" * (DIM - 1) + b"]", "vector_broken"),
        (json.dumps({"id": str(uuid.uuid4()), "vector": [1.0] * DIM}).encode(), "vector_broken"),
        (json.dumps([1.0] * (DIM + 1)).encode(), "vector_dimension"),
        (b"", "vector_broken"),
    ],
)
async def test_a_vector_that_cannot_be_used(former: Former, body: bytes, kind: str) -> None:
    """It is made anew, beside the old one, which stays as it is; the caption is kept."""
    asset_id = await former.worker.process(draw(0), "a boat")
    key = f"vectors/{asset_id}.json"
    await former.store.put(key, body)
    async with former.open() as adopting:
        report = await take(former, adopting)
        assert odd(report) == [(kind, key)]
        assert (report.with_vector, report.queued, report.is_whole) == (0, 1, True)
        await adopting.enrich()
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert (row.caption, row.embedding_by) == ("a boat", "tiny-clip@r2")
        assert (await former.store.get(key)).data == body
        await adopting.check_well()


@pytest.mark.parametrize("caption", [None, "", "  "])
async def test_a_caption_that_is_missing(former: Former, caption: str | None) -> None:
    """It is made anew; the vector is kept."""
    asset_id = await former.worker.process(draw(0), caption)
    async with former.open() as adopting:
        report = await take(former, adopting)
        assert odd(report) == [("caption_missing", f"assets/{asset_id}.jpg")]
        assert (report.with_caption, report.with_vector, report.queued) == (0, 1, 1)
        await adopting.enrich()
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert (row.caption_by, row.embedding_by) == ("tiny-blip@r1", MODEL)
        await adopting.check_well()


async def test_two_originals_with_one_content(either_former: Former) -> None:
    """Both stay assets, with their own names and captions; the first has the claim."""
    data = draw(0)
    first, second = sorted(
        [await either_former.worker.process(data, "one"), await either_former.worker.process(data, "two")]
    )
    async with either_former.open() as adopting:
        report = await adopting.adopt(vectors_by=MODEL, parallel=1)
        assert odd(report) == [("duplicate", f"assets/{second}.jpg")]
        assert odd(await either_former.look()) == []
        rows = await adopting.verified.catalogue.current([first, second])
        assert {row.caption for row in rows.values()} == {"one", "two"}
        claim = await read_claim(either_former.store, sha256(data))
        assert claim
        assert claim.id == first
        await adopting.check_well()


async def test_a_dry_run_sees_duplicates(former: Former) -> None:
    """Of originals among each other, and of one that was uploaded to this pipeline since."""
    data = draw(0)
    _, second = sorted([await former.worker.process(data, "one"), await former.worker.process(data, "two")])
    assert odd(await former.look()) == [("duplicate", f"assets/{second}.jpg")]
    uploaded = await upload(former.store, data)
    report = await former.look()
    assert [item.kind.value for item in report.oddities] == ["duplicate", "duplicate"]
    assert all(uploaded in item.problem for item in report.oddities)
    assert (report.ours, report.taken) == (1, 2)


@pytest.mark.parametrize(
    ("data", "code", "seen_dry"),
    [(b"%PDF-1.7 not a picture", "not_an_image", True), (draw(0)[:-200], "truncated", False)],
)
async def test_what_is_no_picture(former: Former, data: bytes, code: str, *, seen_dry: bool) -> None:
    """It is in the gallery as failed, with its reason and its old caption; the status says so once."""
    asset_id = await former.worker.process(data, "a boat")
    key = f"assets/{asset_id}.jpg"
    foreseen = await former.look(vectors_by=MODEL)
    assert odd(foreseen) == ([("picture_unreadable", key)] if seen_dry else [])
    async with former.open() as adopting:
        report = await adopting.adopt(vectors_by=MODEL)
        assert odd(report) == [("picture_unreadable", key)]
        assert (report.failed, report.queued, report.is_whole) == (1, 0, False)
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert (row.status, row.error_code, row.caption) == ("failed", code, "a boat")
        again = await adopting.adopt(vectors_by=MODEL)
        assert (again.has_work, again.is_whole) == (False, True)
        await adopting.check_well()


@pytest.mark.parametrize("name", ["holiday.jpg", "2024/{id}.jpg", "{ID}.jpg"])
async def test_a_key_that_is_no_originals(former: Former, name: str) -> None:
    """It is named and left alone."""
    asset_id = str(uuid.uuid4())
    key = "assets/" + name.format(id=asset_id, ID=asset_id.upper())
    await former.store.put(key, draw(0))
    async with former.open() as adopting:
        report = await take(former, adopting)
        assert odd(report) == [("key_without_id", key)]
        assert (report.taken, report.is_whole) == (0, False)


async def test_a_second_original_of_one_asset(former: Former) -> None:
    """The one that the row names is taken, the other is named."""
    asset_id = await former.worker.process(draw(0), "a boat")
    await former.store.put(f"assets/{asset_id}.bmp", draw(1, "BMP"))
    async with former.open() as adopting:
        report = await take(former, adopting)
        assert odd(report) == [("second_original", f"assets/{asset_id}.bmp")]
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert row.r2_key == f"assets/{asset_id}.jpg"


@pytest.mark.parametrize(
    "row",
    [
        {"id": None, "r2_key": None, "caption": "x"},
        {"id": "17", "r2_key": "assets/holiday.jpg", "caption": "x"},
    ],
)
async def test_a_row_about_nothing(former: Former, row: dict[str, Any]) -> None:
    """It is named."""
    await former.worker.grow({**dict.fromkeys(("filename", "vector_key", "mime_type")), **row})
    report = await former.look()
    assert [item.kind.value for item in report.oddities] == ["row_without_id"]
    assert not report.is_whole


async def test_the_last_of_two_rows_counts(former: Former) -> None:
    """As for a reader of the original's table."""
    asset_id = await former.worker.process(draw(0), "first")
    await former.worker.grow({"id": asset_id, "filename": "b.jpg", "caption": "last"})
    async with former.open() as adopting:
        await adopting.adopt(vectors_by=MODEL)
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert (row.caption, row.filename) == ("last", "b.jpg")


async def test_a_damaged_table_stops_everything(either_former: Former) -> None:
    """Without it every caption would be made anew: nothing is done, and a person is told what to do."""
    await either_former.worker.process_all(1)
    whole = (await either_former.store.get(TABLE)).data
    await either_former.store.put(TABLE, whole[:-10])
    before = await either_former.describe()
    with pytest.raises(FormerTableError, match="put it back"):
        await either_former.look()
    assert await either_former.describe() == before


async def test_damage_inside_the_table_stops_everything(former: Former) -> None:
    """The same where its footer is whole and its rows are not."""
    await former.worker.process_all(1)
    whole = (await former.store.get(TABLE)).data
    await former.store.put(TABLE, whole[:4] + b"\xff" * 120 + whole[124:])
    with pytest.raises(FormerTableError, match="damaged"):
        await former.look()


async def test_a_bucket_without_a_table(former: Former) -> None:
    """There may be none: its pictures are taken, captioned anew. An empty bucket has nothing to do."""
    assert not (await former.look()).has_work
    asset_id = await former.worker.process(draw(0), "a boat")
    await former.store.delete(TABLE)
    async with former.open() as adopting:
        report = await take(former, adopting)
        assert odd(report) == [("original_without_row", f"assets/{asset_id}.jpg")]
        assert (report.taken, report.with_vector, report.kept_at) == (1, 1, None)
        assert (await adopting.adopt()).has_work is False
        assert await former.store.head(keys.vector(asset_id))
