"""Edits: one wins, nobody's is lost, and every read after the answer shows them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

from dam.claims import Claim, claim_content, read_claim
from tests.gallery.rig import serving

if TYPE_CHECKING:
    from tests.gallery.rig import Rig

OK = httpx.codes.OK


@pytest.mark.parametrize("indexed", [False, True])
async def test_an_edit_is_read_back_at_once_everywhere(rig: Rig, *, indexed: bool) -> None:
    """By id, in lists, by its tags, by its words and no longer by the old ones; indexed before or not."""
    row = await rig.add("a red boat")
    if indexed:
        await rig.index()
    answer = await rig.edit(row.id, 1, caption="a zebra in pyjamas", tags=["zoo", "zoo", " "], rating=5)
    assert answer.status_code == OK
    assert answer.headers["etag"] == '"2"'
    shown = answer.json()
    assert (shown["caption"], shown["tags"], shown["rating"]) == ("a zebra in pyjamas", ["zoo"], 5)
    assert (shown["caption_by"], shown["event"], shown["actor"]) == (
        "person:anonymous",
        "edited",
        "person:anonymous",
    )
    assert await rig.get(f"/assets/{row.id}") == shown
    assert (await rig.get("/assets", tag="zoo"))["items"] == [shown]
    assert await rig.search(q="zebra", mode="text") == ["a zebra in pyjamas"]
    assert await rig.search(q="boat", mode="text") == []
    assert await rig.search(q="boat", mode="semantic") == ["a zebra in pyjamas"], "its picture is the same"


async def test_another_process_shows_the_edit_at_once(rig: Rig) -> None:
    """The answer is a promise to every reader, not only to those of the process that gave it."""
    row = await rig.add("a red boat")
    async with serving(rig.settings.model_copy(update={"follow_s": 3600.0}), rig.queue) as other:
        assert (await other.get("/assets")).json()["items"][0]["caption"] == "a red boat"
        await rig.edit(row.id, 1, caption="a zebra", tags=["zoo"])
        assert (await other.get("/assets", params={"tag": "zoo"})).json()["items"][0]["caption"] == "a zebra"
        assert (await other.get(f"/assets/{row.id}")).json()["revision"] == 2


async def test_of_two_edits_of_one_revision_one_wins(rig: Rig) -> None:
    """The other gets 412 with the asset as it is now."""
    row = await rig.add("a red boat")
    answers = await asyncio.gather(*(rig.edit(row.id, 1, title=f"title {number}") for number in range(2)))
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (OK, httpx.codes.PRECONDITION_FAILED)
    problem = lost.json()
    assert problem["code"] == "stale_revision"
    assert problem["current"] == won.json()
    assert "revision 2" in problem["detail"]


async def test_history_tells_field_by_field_and_a_revert_goes_back(rig: Rig) -> None:
    """A revert is a new revision with the descriptive fields of the old one, the caption's maker too."""
    row = await rig.add("a red boat")
    await rig.edit(row.id, 1, caption="a blue boat", tags=["sea"])
    answer = await rig.client.post(
        f"/assets/{row.id}/revert", json={"revision": 1}, headers={"If-Match": '"2"'}
    )
    shown = answer.json()
    assert (shown["revision"], shown["event"], shown["caption"]) == (3, "reverted", "a red boat")
    assert (shown["caption_by"], shown["tags"]) == ("blip@1", [])
    newest, edited, first = (await rig.get(f"/assets/{row.id}/history"))["items"]
    assert edited["changes"] == [
        {"field": "caption", "before": "a red boat", "after": "a blue boat"},
        {"field": "caption_by", "before": "blip@1", "after": "person:anonymous"},
        {"field": "tags", "before": [], "after": ["sea"]},
    ]
    assert {change["field"] for change in newest["changes"]} == {"caption", "caption_by", "tags"}
    assert {"field": "caption", "before": None, "after": "a red boat"} in first["changes"]
    assert newest["row"] == shown


async def test_an_edit_that_changes_nothing_makes_no_revision(rig: Rig) -> None:
    """Saving without a change is no event in the history."""
    row = await rig.add("a red boat")
    answer = await rig.edit(row.id, 1, caption="a  red boat ", tags=[])
    assert answer.json()["revision"] == 1
    assert len((await rig.get(f"/assets/{row.id}/history"))["items"]) == 1


@pytest.mark.parametrize("indexed", [False, True])
async def test_deleted_assets_leave_lists_and_searches_until_restored(rig: Rig, *, indexed: bool) -> None:
    """They are found as deleted; restored, they are what they were; uploads of the content are told."""
    row = await rig.add("a red boat")
    assert row.sha256
    assert row.r2_key
    await claim_content(rig.store, row.sha256, Claim(id=row.id, key=row.r2_key, size=1))
    if indexed:
        await rig.index()
    for _ in range(2):  # deleting twice is no error, and no second revision
        deleted = await rig.client.delete(f"/assets/{row.id}")
        assert (deleted.status_code, deleted.json()["revision"]) == (OK, 2)
    assert await rig.ids() == []
    for mode in ("hybrid", "semantic", "text"):
        assert await rig.search(q="boat", mode=mode) == []
    assert await rig.ids(status="deleted") == [row.id]
    claim = await read_claim(rig.store, row.sha256)
    assert claim is not None
    assert claim.status == "deleted"
    refused = await rig.edit(row.id, 2, caption="no")
    assert (refused.status_code, refused.json()["code"]) == (httpx.codes.CONFLICT, "wrong_state")
    restored = await rig.client.post(f"/assets/{row.id}/restore")
    assert (restored.json()["status"], restored.json()["revision"]) == ("ready", 3)
    assert await rig.search(q="boat") == ["a red boat"]
    claim = await read_claim(rig.store, row.sha256)
    assert claim is not None
    assert claim.status == "live"


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({}, {"caption": "x"}, 428, "if_match_missing"),
        ({"If-Match": "new"}, {"caption": "x"}, 422, "invalid_request"),
        ({"If-Match": '"7"'}, {"caption": "x"}, 412, "stale_revision"),
        ({"If-Match": '"1"'}, {"sha256": "x"}, 422, "invalid_request"),
        ({"If-Match": '"1"'}, {"rating": 6}, 422, "invalid_request"),
        ({"If-Match": '"1"'}, {"filename": "/"}, 422, "invalid_request"),
        ({"If-Match": '"1"'}, {"tags": "sea"}, 422, "invalid_request"),
    ],
)
async def test_wrong_edits_are_refused(
    rig: Rig, headers: dict[str, str], body: dict[str, object], status: int, code: str
) -> None:
    """With the reason, and without a trace in the history."""
    row = await rig.add("a red boat")
    answer = await rig.client.patch(f"/assets/{row.id}", json=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await rig.get(f"/assets/{row.id}"))["revision"] == 1


async def test_a_text_is_kept_without_what_nobody_sees(rig: Rig) -> None:
    """Control characters go, folders go from names, an emptied text is null, paragraphs stay."""
    row = await rig.add("a red boat")
    await rig.edit(row.id, 1, title="x")
    answer = await rig.edit(
        row.id, 2, caption="a\x00 red\tboat\n", title=" ", description="one\r\ntwo", filename="C:\\a\\b.jpg"
    )
    shown = answer.json()
    assert (shown["caption"], shown["title"]) == ("a red boat", None)
    assert (shown["description"], shown["filename"]) == ("one\ntwo", "b.jpg")


async def test_a_batch_reports_each_outcome(rig: Rig) -> None:
    """One commit changes what can be changed; what cannot is named, with its reason."""
    plain, tagged, deleted = await rig.add_many(
        [{"caption": "a"}, {"caption": "b", "tags": ["sea", "old"]}, {"caption": "c"}]
    )
    await rig.client.delete(f"/assets/{deleted.id}")
    unknown = "01a20cab-78d5-754e-87d0-ed4130bc5e5c"
    before = await rig.catalogue.version()
    body = {"ids": [plain.id, tagged.id, deleted.id, unknown], "add_tags": ["sea"], "remove_tags": ["old"]}
    outcomes = (await rig.client.post("/assets/batch", json=body)).json()["outcomes"]
    assert [(item["id"], item["status"]) for item in outcomes] == [
        (plain.id, "changed"),
        (tagged.id, "changed"),
        (deleted.id, "refused"),
        (unknown, "not_found"),
    ]
    assert await rig.catalogue.version() == before + 1
    assert [item["tags"] for item in (await rig.get("/assets", tag="sea"))["items"]] == [["sea"], ["sea"]]
    again = (await rig.client.post("/assets/batch", json=body)).json()["outcomes"]
    assert [item["status"] for item in again[:2]] == ["unchanged", "unchanged"]


async def test_a_batch_deletes_and_restores(rig: Rig) -> None:
    """And says one thing at a time."""
    ids = [row.id for row in await rig.add_many([{"caption": "a"}, {"caption": "b"}])]
    await rig.client.post("/assets/batch", json={"ids": ids, "delete": True})
    assert await rig.ids() == []
    await rig.client.post("/assets/batch", json={"ids": ids, "restore": True})
    assert sorted(await rig.ids()) == sorted(ids)
    both = await rig.client.post("/assets/batch", json={"ids": ids, "restore": True, "delete": True})
    assert both.status_code == httpx.codes.UNPROCESSABLE_ENTITY


async def test_batches_that_race_lose_no_tag(rig: Rig) -> None:
    """Each is made anew on what the other has written."""
    rows = await rig.add_many([{"caption": f"{number}"} for number in range(5)])
    ids = [row.id for row in rows]

    async def add(tag: str) -> None:
        answer = await rig.client.post("/assets/batch", json={"ids": ids, "add_tags": [tag]})
        assert {item["status"] for item in answer.json()["outcomes"]} == {"changed"}

    await asyncio.gather(*(add(f"tag-{number}") for number in range(4)))
    for item in (await rig.get("/assets"))["items"]:
        assert sorted(item["tags"]) == [f"tag-{number}" for number in range(4)]
