"""Lists, days and single assets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from dam import keys
from dam.ids import new_id
from dam.originals import metadata_of

if TYPE_CHECKING:
    from tests.gallery.rig import Rig


async def test_assets_come_newest_first_and_page_by_page(rig: Rig) -> None:
    """Pages follow each other without a gap or a repeat, and end with a null cursor."""
    rows = await rig.add_many([{"caption": f"picture {number}"} for number in range(7)])
    newest = [row.id for row in reversed(rows)]
    first = await rig.get("/assets", limit=3)
    second = await rig.get("/assets", limit=3, cursor=first["next_cursor"])
    third = await rig.get("/assets", limit=3, cursor=second["next_cursor"])
    pages = [[item["id"] for item in page["items"]] for page in (first, second, third)]
    assert pages == [newest[:3], newest[3:6], newest[6:]]
    assert third["next_cursor"] is None


async def test_a_cursor_stays_valid_while_assets_arrive(rig: Rig) -> None:
    """New assets come before the cursor: the next page neither repeats nor skips any."""
    rows = await rig.add_many([{"caption": f"old {number}"} for number in range(4)])
    first = await rig.get("/assets", limit=2)
    await rig.add("new")
    assert await rig.ids(limit=2, cursor=first["next_cursor"]) == [rows[1].id, rows[0].id]


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"type": "image"}, "abcd"),
    ({"type": "video"}, ""),
    ({"mime": "image/png"}, "b"),
    ({"tag": "sea"}, "ac"),
    ({"tag": ["sea", "summer"]}, "a"),
    ({"tag": "o'clock"}, "d"),
    ({"tag": "nowhere"}, ""),
    ({"model": "other@2"}, "d"),
    ({"orientation": "portrait"}, "b"),
    ({"orientation": "square"}, "c"),
    ({"orientation": "landscape"}, "ad"),
    ({"min_bytes": 2000}, "cd"),
    ({"max_bytes": 1500}, "a"),
    ({"rating": 4}, "a"),
    ({"day": "2026-05-04"}, "ab"),
    ({"from": "2026-05-05"}, "cd"),
    ({"to": "2026-05-05"}, "abc"),
    ({"from": "2026-05-05", "to": "2026-05-05", "tag": "sea"}, "c"),
    ({"status": "failed"}, "e"),
]


@pytest.mark.parametrize("indexed", [False, True])
async def test_every_filter_leaves_what_it_names(rig: Rig, *, indexed: bool) -> None:
    """In lists, in the timeline's total, in exports and in searches alike, before and after indexing."""

    def at(day: int) -> datetime:
        return datetime(2026, 5, day, 12, tzinfo=UTC)

    boat = {"caption": "a boat"}
    rows = await rig.add_many(
        [
            boat | {"tags": ["sea", "summer"], "rating": 4, "received_at": at(4)},
            boat | {"mime_type": "image/png", "width": 30, "size_bytes": 1600, "received_at": at(4)},
            boat | {"tags": ["sea"], "width": 48, "size_bytes": 2000, "rating": 3, "received_at": at(5)},
            boat | {"embedding_by": "other@2", "size_bytes": 9000, "received_at": at(6), "tags": ["o'clock"]},
            boat | {"status": "failed", "event": "failed", "received_at": at(6)},
        ]
    )
    if indexed:
        await rig.index()
    for params, letters in FILTERS:
        wanted = {rows["abcde".index(letter)].id for letter in letters}
        assert set(await rig.ids(**params)) == wanted, params
        assert (await rig.get("/timeline", **params))["total"] == len(wanted), params
        assert set(await _found(rig, **params)) == wanted, params
        exported = await rig.client.get("/export", params={**params, "format": "jsonl"})
        assert {line.split('"')[3] for line in exported.text.splitlines()} == wanted, params


async def _found(rig: Rig, **params: Any) -> list[str]:
    answer = await rig.get("/search", q="boat", mode="text", **params)
    return [item["asset"]["id"] for item in answer["items"]]


async def test_the_timeline_counts_days_and_sums_ratios(rig: Rig) -> None:
    """A grid can tell each day's height from it: width by height summed, 1 where the size is unknown."""
    await rig.add_many(
        [
            {
                "caption": "wide",
                "width": 200,
                "height": 100,
                "received_at": datetime(2026, 5, 4, 23, 59, tzinfo=UTC),
            },
            {
                "caption": "unknown",
                "width": None,
                "height": None,
                "received_at": datetime(2026, 5, 4, tzinfo=UTC),
            },
            {"caption": "tall", "width": 100, "height": 200, "received_at": datetime(2026, 5, 5, tzinfo=UTC)},
        ]
    )
    assert await rig.get("/timeline") == {
        "total": 3,
        "days": [
            {"day": "2026-05-05", "count": 1, "ratio_sum": 0.5},
            {"day": "2026-05-04", "count": 2, "ratio_sum": 3.0},
        ],
    }


async def test_one_asset_has_its_revision_as_etag(rig: Rig) -> None:
    """The current row, whichever process wrote it, with links that work."""
    row = await rig.add("a red boat")
    answer = await rig.client.get(f"/assets/{row.id}")
    assert answer.headers["etag"] == '"1"'
    shown = answer.json()
    assert (shown["caption"], shown["tags"], shown["status"]) == ("a red boat", [], "ready")
    assert shown["links"]["thumbnails"]["256"] == f"/api/assets/{row.id}/thumbnail/256"


async def test_an_original_without_a_row_is_pending(rig: Rig) -> None:
    """It is shown by its id and listed as pending, until its first row comes."""
    asset_id = new_id()
    now = datetime.now(UTC)
    await rig.store.put(
        keys.original(asset_id, "jpg"),
        b"\xff\xd8\xff",
        content_type="image/jpeg",
        metadata=metadata_of("b o a t.jpg", now, "person:anna"),
    )
    shown = await rig.get(f"/assets/{asset_id}")
    assert (shown["status"], shown["filename"], shown["revision"]) == ("pending", "b o a t.jpg", 0)
    assert await rig.ids(status="pending") == [asset_id]
    assert await rig.ids() == []
    assert (await rig.get("/jobs"))["pending"] == 1
    await rig.add("a boat", id=asset_id)
    assert (await rig.get(f"/assets/{asset_id}"))["status"] == "ready"
    assert await rig.ids(status="pending") == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/assets/01a20cab-78d5-754e-87d0-ed4130bc5e5c", 404, "not_found"),
        ("/assets/boat.jpg", 404, "not_found"),
        ("/assets/01a20cab-78d5-754e-87d0-ed4130bc5e5c/history", 404, "not_found"),
        ("/assets?limit=0", 422, "invalid_request"),
        ("/assets?colour=red", 422, "invalid_request"),
        ("/assets?cursor=last", 422, "invalid_request"),
        ("/timeline?day=yesterday", 422, "invalid_request"),
        ("/nowhere", 404, "not_found"),
    ],
)
async def test_what_is_wrong_is_answered_with_a_problem(rig: Rig, path: str, status: int, code: str) -> None:
    """One shape of errors, with a stable code and a sentence."""
    answer = await rig.client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


async def test_lists_go_on_when_the_index_is_gone(rig: Rig) -> None:
    """They need no index: rows come from the catalogue itself."""
    rows = await rig.add_many([{"caption": f"picture {number}"} for number in range(3)])
    await rig.index()
    for key in [item.key async for item in rig.store.list("search/")]:
        await rig.store.delete(key)
    assert await rig.ids() == [row.id for row in reversed(rows)]
