"""HTTP as clients of every kind speak it: HEAD, ranges, methods, and errors that say what to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from dam import keys
from dam.ids import new_id
from tests.gallery.rig import draw, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gallery.rig import Rig


JSON: Final = {"Content-Type": "application/json"}


async def test_head_is_get_without_the_body(rig: Rig, tmp_path: Path) -> None:
    """Of a file its length, type and ETag, of an asset its revision; errors too. Never the gallery's page."""
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "index.html").write_text("<title>Gallery</title>")
    settings = rig.settings.model_copy(update={"frontend_dir": tmp_path / "built"})
    row = await rig.add("a red boat")
    await rig.put_original(row, draw(1, (400, 300)))
    async with serving(settings, rig.queue) as client:
        for path in (f"/assets/{row.id}/original", f"/assets/{row.id}", "/assets", "/nowhere", "/export"):
            head, get = await client.head(path), await client.get(path)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            for name in ("content-type", "content-length", "etag", "content-disposition"):
                assert head.headers.get(name) == get.headers.get(name), (path, name)
        assert (await client.head("/events")).headers["content-type"].startswith("text/event-stream")
        assert (await client.head(f"/assets/{row.id}", headers={"Connection": "close"})).status_code == 200


async def test_a_file_that_has_changed_is_sent_whole(rig: Rig) -> None:
    """`If-Range`: a part only fits the object whose ETag the client has."""
    row = await rig.add("a red boat")
    data = draw(3, (400, 300))
    await rig.put_original(row, data)
    path = f"/assets/{row.id}/original"
    etag = (await rig.client.get(path)).headers["etag"]
    part = await rig.client.get(path, headers={"Range": "bytes=10-19", "If-Range": etag})
    assert (part.status_code, part.content) == (206, data[10:20])
    whole = await rig.client.get(path, headers={"Range": "bytes=10-19", "If-Range": '"another"'})
    assert (whole.status_code, whole.content) == (200, data)
    beyond = await rig.client.get(path, headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(data)}")


async def test_numbers_that_no_one_counts_to_are_no_fault_of_ours(rig: Rig) -> None:
    """A range of 5,000 digits is none, and the whole is sent; a revision of as many is refused."""
    row = await rig.add("a red boat")
    data = draw(4, (400, 300))
    await rig.put_original(row, data)
    endless = "9" * 5_000
    whole = await rig.client.get(f"/assets/{row.id}/original", headers={"Range": f"bytes=0-{endless}"})
    assert (whole.status_code, whole.content) == (200, data)
    answer = await rig.client.delete(f"/assets/{row.id}", headers={"If-Match": f'"{endless}"'})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_a_form_that_is_none_is_told_in_words(rig: Rig) -> None:
    """A search by picture whose form is broken: 422 like every other body that is wrong."""
    for kind in ("multipart/form-data", "multipart/form-data; boundary=b"):
        answer = await rig.client.post("/search", content=b"no form", headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert "The body cannot be read: " in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/assets/01a20cab-78d5-754e-87d0-ed4130bc5e5c", "DELETE, GET, PATCH"),
        ("POST", "/assets", "GET"),
        ("GET", "/upload", "POST"),
        ("DELETE", "/jobs/retry", "POST"),
        ("OPTIONS", "/jobs/retry", "POST"),
    ],
)
async def test_a_wrong_method_is_told_with_the_right_ones(
    rig: Rig, method: str, path: str, allowed: str
) -> None:
    """405 with `Allow`, not a 404 for an address that is there."""
    answer = await rig.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["code"] == "method_not_allowed"
    assert method in answer.json()["detail"]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"json": {"nope": 1}}, "There is no field 'nope'."),
        ({"content": b"{bad", "headers": JSON}, "The body is no JSON: "),
        ({"data": {"title": "x"}}, "The body must be a JSON object, sent as application/json."),
        ({}, "The body is missing."),
        ({"json": {"rating": 6}}, "rating: Input should be less than or equal to 5."),
        ({"json": {"filename": "/"}}, "filename: nothing is left of the file name"),
        ({"content": b"[" * 100_000, "headers": JSON}, "The body cannot be read: "),
        ({"content": b'{"title": "\xff"}', "headers": JSON}, "The body cannot be read: "),
        ({"content": b'{"rating": %b}' % (b"9" * 5_000), "headers": JSON}, "The body cannot be read: "),
    ],
)
async def test_a_wrong_body_is_told_in_words(rig: Rig, request_: dict[str, Any], told: str) -> None:
    """What is wrong and where, without the names of our libraries."""
    row = await rig.add("a red boat")
    answer = await rig.client.patch(f"/assets/{row.id}", **request_)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    assert told in problem["detail"]
    assert "Value error" not in problem["detail"]


async def test_a_wrong_parameter_is_named(rig: Rig) -> None:
    """A filter that is misspelt must not be taken for none."""
    answer = await rig.client.get("/assets", params={"colour": "red", "limit": 0})
    assert "There is no parameter 'colour'." in answer.json()["detail"]
    assert "limit: Input should be greater than or equal to 1." in answer.json()["detail"]


async def test_a_batch_with_ids_of_every_kind(rig: Rig) -> None:
    """What is no id is reported by itself and holds nobody back; named twice, it is changed once."""
    row = await rig.add("a red boat")
    body = {"ids": [row.id, "no id", "' OR 1=1", row.id], "set": {"rating": 3}}
    answer = await rig.client.post("/assets/batch", json=body)
    outcomes = [(item["id"], item["status"], item["revision"]) for item in answer.json()["outcomes"]]
    assert outcomes == [(row.id, "changed", 2), ("no id", "not_found", None), ("' OR 1=1", "not_found", None)]
    long = await rig.client.post("/assets/batch", json={"ids": ["x" * 101], "delete": True})
    assert long.status_code == httpx.codes.UNPROCESSABLE_ENTITY


async def test_a_pending_asset_says_that_it_has_to_wait(rig: Rig) -> None:
    """It is there, but there is no row to change yet: 409, and never that nobody knows it."""
    asset_id = new_id()
    await rig.store.put(keys.original(asset_id, "jpg"), draw(1), content_type="image/jpeg")
    match = {"If-Match": '"0"'}
    for method, path, json in (
        ("PATCH", "", {"title": "x"}),
        ("POST", "/revert", {"revision": 1}),
        ("DELETE", "", None),
        ("POST", "/restore", None),
    ):
        answer = await rig.client.request(method, f"/assets/{asset_id}{path}", json=json, headers=match)
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state"), path
        assert "is pending" in answer.json()["detail"]
    body = {"ids": [asset_id, new_id()], "delete": True}
    outcomes = (await rig.client.post("/assets/batch", json=body)).json()["outcomes"]
    assert [item["status"] for item in outcomes] == ["refused", "not_found"]
    assert "pending" in outcomes[0]["reason"]


async def test_a_bento_that_hangs_is_waited_for_once(rig: Rig, captions: list[str]) -> None:
    """Whoever types on is answered from words at once, and by meaning again a moment after it is back."""
    await rig.add_many([{"caption": caption} for caption in captions])
    settings = rig.settings.model_copy(update={"embed_timeout_s": 0.5})
    async with serving(settings, rig.queue) as client:
        rig.bento.hanging.set()
        for text in ("boat", "boats", "red boat"):
            answer = (await client.get("/search", params={"q": text})).json()
            assert (answer["degraded"], answer["mode"]) == (True, "text")
            assert answer["items"]
        assert rig.bento.received == 1, "the other two did not ask it"
        rig.bento.hanging.clear()
        async with asyncio.timeout(20):
            while (await client.get("/search", params={"q": "boat"})).json()["degraded"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
