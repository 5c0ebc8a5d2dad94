"""Files, jobs, figures, exports, uploads and the built gallery."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING

import httpx
import pyarrow.parquet as pq
import pytest
from aiohttp import web

from dam import keys
from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.jobs import parse
from gallery_api.ranges import read_range
from gallery_api.refusals import RefusalError
from tests.gallery.rig import draw, open_rig, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gallery.rig import Rig


async def test_an_original_is_streamed_with_ranges_and_safe_headers(rig: Rig) -> None:
    """A browser shows it and nothing in it can run; with its name where it is downloaded."""
    row = await rig.add("a red boat", filename="bööt.jpg")
    data = draw(3, (400, 300))
    await rig.put_original(row, data)
    whole = await rig.client.get(f"/assets/{row.id}/original")
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, data, "image/jpeg")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in whole.headers["content-security-policy"]
    assert whole.headers["content-disposition"].startswith("inline")
    part = await rig.client.get(f"/assets/{row.id}/original", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"
    beyond = await rig.client.get(f"/assets/{row.id}/original", headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    etag = {"If-None-Match": whole.headers["etag"]}
    assert (await rig.client.get(f"/assets/{row.id}/original", headers=etag)).status_code == 304
    download = await rig.client.get(f"/assets/{row.id}/original", params={"download": "true"})
    assert download.headers["content-disposition"] == "attachment; filename*=UTF-8''b%C3%B6%C3%B6t.jpg"


async def test_what_is_no_picture_is_only_downloaded(rig: Rig) -> None:
    """A page that somebody brought into the bucket never runs here."""
    row = await rig.add("a page", mime_type="text/html")
    await rig.put_original(row, b"<script>alert(1)</script>")
    answer = await rig.client.get(f"/assets/{row.id}/original")
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_thumbnails_and_vectors(rig: Rig) -> None:
    """As they lie in the bucket; what is missing is a 404 that says what."""
    row = await rig.add("a red boat")
    await rig.store.put(keys.thumbnail(row.id, 256), b"webp")
    await rig.store.put(keys.vector(row.id), b"{}")
    answer = await rig.client.get(f"/assets/{row.id}/thumbnail/256")
    assert (answer.content, answer.headers["content-type"]) == (b"webp", "image/webp")
    assert (await rig.client.get(f"/assets/{row.id}/vector")).json() == {}
    missing = await rig.client.get(f"/assets/{row.id}/thumbnail/1024")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_file")


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=90-200", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=50-", (50, 100)),
        ("bytes=0-1,5-6", None),
        ("bytes=9-3", None),
        ("lines=1-2", None),
        ("bytes=-", None),
    ],
)
def test_a_range_is_read_as_the_standard_has_it(
    requested: str | None, expected: tuple[int, int] | None
) -> None:
    """What is no single range is ignored: the whole is sent."""
    assert read_range(requested, 100) == expected


@pytest.mark.parametrize("requested", ["bytes=100-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(requested: str) -> None:
    """416, with the size."""
    with pytest.raises(RefusalError, match="100 bytes"):
        read_range(requested, 100)


async def test_failed_assets_are_listed_and_retried(rig: Rig) -> None:
    """With reason and attempts; a retry queues a job against the row as it is. What is ready is refused."""
    failed = [
        await rig.add(
            "broken",
            status="failed",
            event="failed",
            error_code="truncated",
            attempts=2,
            error_message="It breaks off.",
        )
        for _ in range(2)
    ]
    ready = await rig.add("a red boat")
    for row in failed:
        await rig.put_original(row, b"\xff\xd8\xff")
    jobs = await rig.get("/jobs", limit=1)
    assert (jobs["failed_total"], jobs["failed"]["items"][0]["error_code"]) == (2, "truncated")
    assert jobs["failed"]["next_cursor"] == failed[1].id
    one = await rig.client.post(f"/jobs/{failed[0].id}/retry")
    assert one.json() == {"queued": 1, "ids": [failed[0].id]}
    every = await rig.client.post("/jobs/retry")
    assert every.json()["queued"] == 2
    queued = [parse(body) for body in rig.queue.published]
    assert {(job.asset_id, job.expected_revision) for job in queued} == {(row.id, 1) for row in failed}
    refused = await rig.client.post(f"/jobs/{ready.id}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")
    assert (await rig.get("/jobs"))["ready"] == 3


async def test_stats_count_the_catalogue(rig: Rig) -> None:
    """By type, status, model, month, tag and failure, in bytes too; purged assets count nowhere."""
    await rig.add("a", size_bytes=100, tags=["sea"])
    await rig.add("b", size_bytes=50, embedding_by="other@1", mime_type="image/png", tags=["sea", "sun"])
    await rig.add("c", status="failed", event="failed", error_code="truncated")
    await rig.add("d", status="deleted", event="deleted")
    await rig.add("e", status="deleted", event="purged")
    stats = await rig.get("/stats")
    assert (stats["total"], stats["bytes"]) == (2, 150)
    assert stats["by_status"] == {"ready": 2, "failed": 1, "deleted": 1}
    assert stats["by_mime"] == {"image/jpeg": 1, "image/png": 1}
    assert stats["by_model"] == {"bag@1": 1, "other@1": 1}
    assert stats["by_month"] == [{"month": "2026-05", "type": "image", "count": 2}]
    assert stats["by_tag"] == {"sea": 2, "sun": 1}
    assert stats["failures_by_code"] == {"truncated": 1}
    assert stats["catalogue_version"] == await rig.catalogue.version()
    assert (stats["index"]["state"], stats["index"]["behind"]) == ("missing", 5)
    await rig.index()
    index = (await rig.get("/stats"))["index"]
    assert (index["state"], index["rows"], index["model"], index["behind"]) == ("ready", 4, "other@1", 0)


async def test_purged_assets_are_gone(rig: Rig) -> None:
    """404 with a code of its own; in no list."""
    row = await rig.add("e", status="deleted", event="purged")
    answer = await rig.client.get(f"/assets/{row.id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "purged")
    alike = await rig.client.get("/search", params={"like": row.id})
    assert (alike.status_code, alike.json()["code"]) == (404, "purged")
    assert await rig.ids(status="deleted") == []


async def test_models_are_the_bentos_own_words(rig: Rig) -> None:
    """With its notice; while it is down, that it is."""
    models = await rig.get("/models")
    assert (models["available"], models["models"]["notice"]) == (True, "These models know only words.")
    await rig.bento.stop()
    models = await rig.get("/models")
    assert (models["available"], models["models"]) == (False, None)


@pytest.mark.parametrize("indexed", [False, True])
async def test_the_selection_is_exported_in_three_formats(rig: Rig, *, indexed: bool) -> None:
    """Every column but the embedding, newest first; the Parquet has the snapshot's schema."""
    await rig.add("=HYPERLINK(1)", tags=["a", "b"])
    await rig.add_many([{"caption": f"picture {number}", "rating": 3} for number in range(1200)])
    if indexed:
        await rig.index()
    table = pq.read_table(io.BytesIO((await rig.client.get("/export")).content))
    assert table.schema.equals(SNAPSHOT_SCHEMA)
    assert table["caption"].to_pylist() == [*(f"picture {n}" for n in range(1199, -1, -1)), "=HYPERLINK(1)"]
    lines = (await rig.client.get("/export", params={"format": "jsonl", "rating": 3})).text.splitlines()
    assert [json.loads(line)["caption"] for line in lines[:2]] == ["picture 1199", "picture 1198"]
    assert len(lines) == 1200
    text = (await rig.client.get("/export", params={"format": "csv"})).text
    *_, last = csv.DictReader(io.StringIO(text))
    assert (last["caption"], last["tags"]) == ("'=HYPERLINK(1)", "a; b")


async def test_uploads_are_passed_on_as_they_come(tmp_path: Path) -> None:
    """Body, status and answer are those of ingest; where it is down, 503 with Retry-After."""
    got: list[tuple[str, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((request.content_type, await request.read()))
        return web.json_response({"files": []}, status=202, headers={"Retry-After": "7"})

    app = web.Application(client_max_size=2**26)
    app.add_routes([web.post("/upload", take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    from gallery_api.settings import GallerySettings  # noqa: PLC0415 - beside its only use

    settings = GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none", ingest_url=url)
    async with open_rig(settings) as rig:
        data = b"x" * 3_000_000
        answer = await rig.client.post("/upload", files=[("files", ("a.jpg", data))])
        assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (202, {"files": []}, "7")
        assert got[0][0] == "multipart/form-data"
        assert data in got[0][1]
        await runner.cleanup()
        down = await rig.client.post("/upload", files=[("files", ("a.jpg", data))])
        assert (down.status_code, down.headers["retry-after"]) == (503, "5")


async def test_the_built_gallery_is_served_beside_the_api(rig: Rig, tmp_path: Path) -> None:
    """Its files, packed for who takes that; its page for its own addresses; errors for what is neither."""
    built = tmp_path / "built"
    (built / "_app" / "immutable").mkdir(parents=True)
    (built / "index.html").write_text("<title>Gallery</title>")
    (built / "_app" / "immutable" / "a.js").write_text("1")
    (built / "_app" / "immutable" / "a.js.gz").write_bytes(gzip.compress(b"1"))
    async with serving(rig.settings.model_copy(update={"frontend_dir": built}), rig.queue) as client:
        base = str(client.base_url).removesuffix("/api/")
        for path in ("/", "/search?q=boat", "/assets/01a20cab-78d5-754e-87d0-ed4130bc5e5c"):
            page = await client.get(base + path)
            assert (page.status_code, page.text) == (200, "<title>Gallery</title>")
            assert page.headers["cache-control"] == "no-cache"
        script = await client.get(f"{base}/_app/immutable/a.js")
        assert "immutable" in script.headers["cache-control"]
        assert (script.text, script.headers["content-encoding"], script.headers["vary"]) == (
            "1",
            "gzip",
            "Accept-Encoding",
        )
        plain = await client.get(f"{base}/_app/immutable/a.js", headers={"accept-encoding": "identity"})
        assert (plain.content, plain.headers.get("content-encoding")) == (b"1", None)
        assert plain.headers["content-type"] == script.headers["content-type"]
        assert (await client.get(f"{base}/missing.js")).status_code == 404
        unknown = await client.get("/nowhere")
        assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
        ready = await client.get(f"{base}/readyz")
        assert ready.status_code == httpx.codes.OK
        assert set(ready.json()["dependencies"]) == {"store", "catalogue", "queue", "bento"}
        needed = await client.get(f"{base}/readyz", params={"needed": True})
        assert needed.json() == {"status": "ready", "dependencies": {"store": "up", "catalogue": "up"}}
