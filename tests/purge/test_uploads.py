"""Uploads of a content that is just being purged, through ingest itself, and the claims beneath them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.claims import Claim, bury_claim, change_claim, claim_content, find_held, read_claim
from dam.connections import Connection
from dam.errors import QueueUnavailableError, StoreUnavailableError
from dam.ids import new_id
from ingest_api.intake import Intake
from ingest_api.settings import IngestSettings
from tests.fakes.queue import MemoryQueue
from tests.fakes.store import MemoryStore
from tests.gallery.rig import draw
from tests.purge.mortal import Fate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore
    from ingest_api.answers import UploadedFile
    from tests.purge.bucket import Bucket

SHA = "ab" * 32


async def upload(bucket: Bucket, data: bytes) -> UploadedFile:
    """What ingest answers."""

    async def open_store() -> ObjectStore:
        return bucket.store

    async def open_queue() -> JobQueue:
        return MemoryQueue()

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    intake = Intake(
        Connection("store", open_store, StoreUnavailableError, 5),
        Connection("queue", open_queue, QueueUnavailableError, 5),
        IngestSettings(data_dir=bucket.settings.data_dir),
    )
    return await intake.take("again.jpg", chunks())


@dataclass
class Uploader:
    """Uploads a content before the purge's step number `at`."""

    bucket: Bucket
    data: bytes
    at: int
    answer: UploadedFile | None = None
    met: int = 0

    async def __call__(self, _: str) -> None:
        """Before a step."""
        if self.met == self.at:
            self.answer = await upload(self.bucket, self.data)
        self.met += 1


async def test_an_upload_during_a_purge_is_kept_or_told_that_it_was_deleted(bucket: Bucket) -> None:
    """Before each of its steps: never is somebody told that the content is there, and then it is gone."""
    told: list[str] = []
    while True:
        data = draw(len(told))
        row = await bucket.add_deleted(f"walrus {len(told)}", data)
        uploader = Uploader(bucket, data, at=len(told))
        await bucket.purge(fate=Fate(before_each=uploader))
        if uploader.answer is None:
            break
        answer, claim = uploader.answer, await read_claim(bucket.store, str(row.sha256))
        assert claim
        if answer.status == "deleted":
            assert answer.duplicate_of == row.id
            assert (claim.id, claim.status) == (row.id, "purged")
        else:
            assert (answer.status, answer.duplicate_of) == ("pending", None)
            assert answer.id != row.id
            assert (claim.id, claim.status) == (answer.id, "live")
            assert (await bucket.store.get(str(answer.r2_key))).data == data
        assert [left.event for left in await bucket.catalogue.history(row.id)] == ["purged"]
        told.append(answer.status)
    assert told[0] == "deleted"
    assert set(told[1:]) == {"pending"}


async def test_a_claim_that_has_changed_is_not_buried() -> None:
    """The tombstone replaces the very claim that was found, and no other."""
    store = MemoryStore()
    claim = Claim(id=new_id(), key="assets/a.jpg", size=3, status="deleted")
    await claim_content(store, SHA, claim)
    held = await find_held(store, SHA, claim.id)
    assert held
    await change_claim(store, SHA, claim.model_copy(update={"status": "live"}))
    assert not await bury_claim(store, SHA, held)
    assert await read_claim(store, SHA) == claim.model_copy(update={"status": "live"})
    assert await find_held(store, SHA, new_id()) is None
    assert await find_held(store, "cd" * 32, claim.id) is None


@pytest.mark.parametrize(("lost", "buried"), [("before", False), ("after", True)])
async def test_an_answer_that_never_came_is_settled_by_looking(lost: str, *, buried: bool) -> None:
    """Whether the tombstone was written or not, that is what is said."""
    store = MemoryStore()
    claim = Claim(id=new_id(), key=keys.original("a", "jpg"), size=3, status="deleted")
    await claim_content(store, SHA, claim)
    held = await find_held(store, SHA, claim.id)
    assert held
    store.lost_puts.append(lost)
    assert await bury_claim(store, SHA, held) is buried
    found = await read_claim(store, SHA)
    assert found
    assert (found.status == "purged") is buried
