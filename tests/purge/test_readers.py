"""What follows the catalogue after a purge: the snapshot, the search index, the gallery."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

from dam.catalogue.storage import TableHandle
from dam.maintenance.settings import MaintenanceSettings
from dam.purge.candidates import find_candidates
from dam.purge.purger import Purger
from dam.purge.sweep import sweep
from dam.store.delta import delta_location
from gallery_api.settings import GallerySettings
from tests.gallery.rig import Rig, open_rig
from tests.maintenance.rows import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.catalogue import Row


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none")) as opened:
        yield opened


async def purge_all(rig: Rig, readers_s: float = 0) -> None:
    before = datetime.now(UTC) + timedelta(seconds=1)
    found = await find_candidates(rig.catalogue, before)
    await Purger(rig.store, rig.catalogue, "person:anna").run(found, before, lambda _: None)
    await sweep(rig.store, rig.catalogue, readers_s)


async def add_deleted(rig: Rig, caption: str, **values: object) -> Row:
    row = await rig.add(caption, **values)
    await rig.client.delete(f"/assets/{row.id}")
    return row


@pytest.mark.parametrize("rebuilt", [False, True])
async def test_the_index_drops_it(rig: Rig, *, rebuilt: bool) -> None:
    """Whether it follows the purge, or finds the table's older versions gone and is built anew."""
    await rig.add("a red boat")
    row = await add_deleted(rig, "a purple walrus")
    await rig.index()
    assert await rig.search(q="walrus", mode="text", status="deleted") == ["a purple walrus"]
    if rebuilt:
        await rig.edit((await rig.add("a blue boat")).id, 1, title="x")
    await purge_all(rig)
    for _ in range(2):
        assert await rig.search(q="walrus", mode="text", status="deleted") == []
        assert await rig.search(q="purple walrus", mode="semantic", status="deleted") == []
        await rig.index()
    state = (await rig.get("/stats"))["index"]
    assert (state["rows"], state["behind"]) == (2 if rebuilt else 1, 0)
    assert await rig.ids(status="deleted") == []
    assert row.id not in str(await rig.get("/search", q="boat"))


async def test_the_snapshot_has_nothing_of_it(rig: Rig, tmp_path: Path) -> None:
    """Neither the one that is published after it, nor one that has to be built anew because of it."""
    settings = MaintenanceSettings(data_dir=rig.settings.data_dir)
    bench = Bench(settings, rig.store, TableHandle.open(*delta_location(settings)), tmp_path / "temporary")
    try:
        live = await rig.add("a red boat")
        row = await rig.add("a purple walrus")
        publisher = bench.publisher()
        await publisher.step()
        assert (await bench.read_snapshot())["id"].to_pylist() == [live.id, row.id]
        await rig.client.delete(f"/assets/{row.id}")
        await purge_all(rig)
        other = await rig.add("a blue boat")
        await publisher.step()
        shown = await bench.read_snapshot()
        assert shown["id"].to_pylist() == [live.id, other.id]
        assert "walrus" not in str(shown.to_pylist())
    finally:
        bench.close()


async def test_the_gallery_says_that_it_is_gone(rig: Rig) -> None:
    """In a sentence, to whoever reads, edits or restores; its history is that it was purged, by whom."""
    row = await add_deleted(rig, "a purple walrus")
    await purge_all(rig)
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("POST", "/restore"),
        ("DELETE", ""),
        ("GET", "/original"),
    ):
        json = {"title": "x"} if method == "PATCH" else None
        answer = await rig.client.request(
            method, f"/assets/{row.id}{path}", json=json, headers={"If-Match": '"3"'}
        )
        assert (answer.status_code, answer.json()["code"]) == (httpx.codes.NOT_FOUND, "purged"), (
            method,
            path,
        )
    [item] = (await rig.get(f"/assets/{row.id}/history"))["items"]
    assert (item["event"], item["actor"], item["row"]["caption"]) == ("purged", "person:anna", None)
    assert (await rig.get("/stats"))["by_status"] == {}


async def test_a_gallery_that_slept_through_it_goes_on(rig: Rig) -> None:
    """Versions that it has not seen are gone: it reads the table anew, and every answer is as of now."""
    live = await rig.add("a red boat")
    row = await rig.add("a purple walrus")
    assert set(await rig.ids()) == {live.id, row.id}
    change = await rig.edit(row.id, 1, title="x")
    await rig.client.delete(f"/assets/{row.id}", headers={"If-Match": change.headers["etag"]})
    await rig.add("a blue boat")
    await purge_all(rig)
    assert len(await rig.ids()) == 2
    assert (await rig.get(f"/assets/{live.id}"))["caption"] == "a red boat"


async def test_the_index_gets_a_moment_to_follow(rig: Rig) -> None:
    """What it follows by is removed when it has taken over the purge, or when it does not come to it."""
    await rig.add("a red boat")
    await add_deleted(rig, "a purple walrus")
    await rig.index()
    purging = asyncio.create_task(purge_all(rig, readers_s=30))
    await asyncio.sleep(0.7)
    assert not purging.done()
    await rig.keeper.step()
    started = time.monotonic()
    await purging
    assert time.monotonic() - started < 10


async def test_the_index_keeps_no_copy(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is built anew beside the one that goes on answering; the files of that go when readers have left."""
    monkeypatch.setattr("dam.search.keeper._RETIRED_FOR", timedelta(0))
    await rig.add_many([{"caption": f"a red boat {number}"} for number in range(30)])
    await add_deleted(rig, "a purple walrus")
    await rig.index()
    assert await find_in_index(rig, b"walrus")
    await purge_all(rig)
    assert len(await rig.search(q="boat", mode="text")) == 30
    await rig.index()
    await asyncio.sleep(0.5)  # a gallery opens what is published within a second
    await rig.keeper.step()
    assert len(await rig.search(q="boat", mode="text")) == 30
    assert await find_in_index(rig, b"walrus") == []


async def find_in_index(rig: Rig, word: bytes) -> list[str]:
    """Keys of its objects that have the word."""
    keys = [item.key async for item in rig.store.list("search/")]
    return [key for key in keys if word in (await rig.store.get(key)).data]


async def test_a_restore_over_http_that_races_a_purge(rig: Rig) -> None:
    """It brings the asset back with its bytes, or says that the asset is gone; never half of both."""
    for number in range(8):
        row = await add_deleted(rig, f"a purple walrus {number}")
        await rig.put_original(row, b"walrus")
        purging = asyncio.create_task(purge_all(rig))
        await asyncio.sleep(0.01 * number)
        answer = await rig.client.post(f"/assets/{row.id}/restore")
        await purging
        if answer.status_code == httpx.codes.OK:
            assert (await rig.client.get(f"/assets/{row.id}/original")).content == b"walrus"
            assert len((await rig.get(f"/assets/{row.id}/history"))["items"]) == 3
        else:
            assert (answer.status_code, answer.json()["code"]) == (httpx.codes.NOT_FOUND, "purged")
