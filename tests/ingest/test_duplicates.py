"""The same content again: one asset, whatever came before and however many come at once."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from dam import keys
from dam.claims import change_claim, read_claim
from tests.ingest.pictures import picture

if TYPE_CHECKING:
    from tests.ingest.serving import Service

DATA = picture(7)
SHA256 = hashlib.sha256(DATA).hexdigest()


async def test_known_and_not_enriched_is_queued_again(service: Service) -> None:
    """A content whose asset has no vector yet (waiting, lost, failed) names it and queues it again."""
    [first] = (await service.upload(("first.png", DATA))).json()["files"]
    [second] = (await service.upload(("second.png", DATA))).json()["files"]
    assert second == first | {"filename": "second.png", "duplicate_of": first["id"]}
    assert service.keys("assets/") == [first["r2_key"]]
    one, two = service.jobs()
    assert one.change_id != two.change_id
    assert one.model_copy(update={"change_id": ""}) == two.model_copy(update={"change_id": ""})


async def test_enriched_is_ready_and_not_queued(service: Service) -> None:
    """A content whose asset has its vector is `ready`, and no work is made of it."""
    [first] = (await service.upload(("a.png", DATA))).json()["files"]
    await service.store.put(keys.vector(first["id"]), b"{}")
    [second] = (await service.upload(("a.png", DATA))).json()["files"]
    assert (second["id"], second["status"]) == (first["id"], "ready")
    assert len(service.jobs()) == 1


async def test_deleted_is_said_so(service: Service) -> None:
    """A content whose asset was deleted is not taken again: the answer says so and how to get it back."""
    [first] = (await service.upload(("a.png", DATA))).json()["files"]
    claim = await read_claim(service.store, SHA256)
    assert claim is not None
    await change_claim(service.store, SHA256, claim.model_copy(update={"status": "deleted"}))
    [second] = (await service.upload(("a.png", DATA))).json()["files"]
    assert (second["id"], second["status"]) == (first["id"], "deleted")
    assert "restore" in second["hint"]
    assert len(service.jobs()) == 1


async def test_purged_is_taken_anew(service: Service) -> None:
    """After a purge the same content is a new asset."""
    [first] = (await service.upload(("a.png", DATA))).json()["files"]
    claim = await read_claim(service.store, SHA256)
    assert claim is not None
    await change_claim(service.store, SHA256, claim.model_copy(update={"status": "purged"}))
    await service.store.delete(first["r2_key"])
    [second] = (await service.upload(("a.png", DATA))).json()["files"]
    assert "duplicate_of" not in second
    assert second["id"] != first["id"]
    assert service.keys("assets/") == [second["r2_key"]]


async def test_only_copy_is_never_deleted(service: Service) -> None:
    """Where the claimed original has gone from the bucket, the new copy takes its place."""
    [first] = (await service.upload(("a.png", DATA))).json()["files"]
    await service.store.delete(first["r2_key"])
    [second] = (await service.upload(("a.png", DATA))).json()["files"]
    assert "duplicate_of" not in second
    assert service.store.objects[second["r2_key"]].data == DATA
    assert service.jobs()[-1].asset_id == second["id"]


async def test_many_at_once_make_one_asset(service: Service) -> None:
    """Twenty requests with one content at once: one is new, all name it, one original stays."""
    responses = await asyncio.gather(*(service.upload((f"{n}.png", DATA)) for n in range(20)))
    files = [response.json()["files"][0] for response in responses]
    assert len({file["id"] for file in files}) == 1
    assert sum("duplicate_of" not in file for file in files) == 1
    assert service.keys("assets/") == [files[0]["r2_key"]]
    assert {job.asset_id for job in service.jobs()} == {files[0]["id"]}


async def test_twice_in_one_request(service: Service) -> None:
    """The second of two equal files of one request is a duplicate of the first."""
    first, second = (await service.upload(("a.png", DATA), ("b.png", DATA))).json()["files"]
    assert second["duplicate_of"] == first["id"]
