"""Bucket, queue, catalogue, index and maintenance, embedded and on a bucket that is silent."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.catalogue import Catalogue
from dam.maintenance.lease import Lease, LeaseRecord
from dam.queue.opening import open_queue
from dam.search.state import LAYOUT, IndexState, write_state
from dam.store.opening import open_store
from tests.catalogue.changes import change
from tests.status.standing import look, settings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.status import StatusSettings
    from dam.store import ObjectStore


@pytest.fixture
def settings(tmp_path: Path) -> StatusSettings:
    return settings_of(tmp_path / "data")


@pytest.fixture
async def store(settings: StatusSettings) -> AsyncIterator[ObjectStore]:
    opened = await open_store(settings)
    yield opened
    await opened.close()


async def test_a_machine_on_which_nothing_ran_yet(settings: StatusSettings) -> None:
    """Nothing is there, which is said; looking makes nothing."""
    readings = await look(settings)
    assert {readings[name].state for name in ("bucket", "queue", "catalogue", "index")} == {"not ready"}
    assert not settings.data_dir.exists()


async def test_jobs_are_counted_where_they_are(settings: StatusSettings) -> None:
    """Waiting, in flight, delayed and dead."""
    queue = await open_queue(settings)
    for number in range(7):
        await queue.publish(b"%d" % number)
    async with queue.consume(4) as jobs:
        held = [await anext(jobs) for _ in range(4)]
        await held[0].retry(600)
        await held[1].dead_letter("broken", "It cannot work.")
        reading = (await look(settings))["queue"]
        for delivery in held[2:]:
            await delivery.release()
    await queue.close()
    assert reading.state == "ready"
    counted = {name: reading.facts[name] for name in ("waiting", "in_flight", "delayed", "dead_letters")}
    assert sum(counted.values()) == 7
    assert (counted["delayed"], counted["dead_letters"]) == (1, 1)
    assert counted["in_flight"] >= 2


async def test_assets_are_counted_by_their_newest_status(settings: StatusSettings) -> None:
    """One row for each asset, however often it was edited; a purged one is none."""
    catalogue = await Catalogue.open(settings)
    made = [change() for _ in range(4)]
    await catalogue.commit([*made, change(status="failed", error_code="truncated")])
    await catalogue.commit([change(made[0].asset_id, 1, "edited"), change(made[1].asset_id, 1, "deleted")])
    await catalogue.commit([change(made[2].asset_id, 1, "purged", status="deleted")])
    version = await catalogue.version()
    await catalogue.close()
    reading = (await look(settings))["catalogue"]
    assert reading.state == "ready"
    assert reading.facts["assets"] == {"deleted": 1, "failed": 1, "ready": 2}
    assert reading.facts["version"] == reading.facts["counted_at"] == version
    assert 0 <= reading.facts["last_commit_age_s"] < 60
    assert "2 ready, 1 failed, 1 deleted" in reading.told


async def test_an_index_that_lags(settings: StatusSettings, store: ObjectStore) -> None:
    """By how many commits, and since when."""
    catalogue = await Catalogue.open(settings)
    await catalogue.commit([change()])
    version = await catalogue.version()
    known = {"layout": LAYOUT, "table": "t", "catalogue": "c", "model": "m", "dim": 4, "rows": 1}
    state = IndexState.model_validate({**known, "version": version, "updated_at": datetime.now(UTC)})
    await write_state(store, state, None)
    assert (await look(settings))["index"].facts["lag"] == 0
    await catalogue.commit([change()])
    await catalogue.close()
    reading = (await look(settings))["index"]
    assert reading.facts["lag"] == 1
    assert 0 <= reading.facts["lag_s"] < 60
    assert "1 commit behind since" in reading.told


async def test_a_lease_that_is_held_and_given_back(settings: StatusSettings, store: ObjectStore) -> None:
    """By whom, and since when; nobody's lease means that maintenance does not run."""
    assert (await look(settings))["maintenance"].state == "down"
    lease = Lease(store, 15)
    await lease.acquire()
    held = (await look(settings))["maintenance"]
    await lease.release()
    released = (await look(settings))["maintenance"]
    assert (held.state, held.facts["held"]) == ("ready", True)
    assert held.facts["host"] in held.told
    assert (released.state, released.facts["held"]) == ("down", False)
    assert "gave it back" in released.told


async def test_a_lease_that_nobody_renews(settings: StatusSettings, store: ObjectStore) -> None:
    """Its holder was killed; one that cannot be read is nobody's."""
    record = LeaseRecord(holder="x", turn=1, duration_s=0.01, host="gone")
    etag = await store.put(keys.MAINTENANCE_LEASE, record.model_dump_json().encode())
    await asyncio.sleep(0.1)
    reading = (await look(settings))["maintenance"]
    assert reading.state == "down"
    assert "gone has not renewed it" in reading.told
    await store.put(keys.MAINTENANCE_LEASE, b"{", if_match=etag)
    assert "cannot be read" in (await look(settings))["maintenance"].told


async def test_a_folder_that_is_none(settings: StatusSettings) -> None:
    """Sentences, no traceback, and the other parts are looked at."""
    settings.data_dir.mkdir()
    (settings.data_dir / "bucket").write_text("")
    (settings.data_dir / "queue.sqlite").write_text("this is no database, however long one looks at it")
    readings = await look(settings)
    assert {readings[name].state for name in ("bucket", "queue", "index", "maintenance")} == {"down"}
    assert readings["catalogue"].state in {"down", "not ready"}


@contextlib.asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """A server that takes connections and never says a word."""
    writers = []

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_a_bucket_that_does_not_answer(tmp_path: Path) -> None:
    """What lies in it is down after its time; all else is told; secrets are not."""
    async with silence() as endpoint:
        settings = settings_of(
            tmp_path,
            store_url="s3://pictures",
            store_endpoint_url=endpoint,
            store_access_key_id="AKIA-NAME",
            store_secret_access_key="hunter2",
            status_timeout_s=2,
        )
        began = time.monotonic()
        readings = await look(settings)
        took = time.monotonic() - began
    assert {readings[name].state for name in ("bucket", "catalogue", "index", "maintenance")} == {"down"}
    assert readings["queue"].state == "not ready"
    assert took < 20
