"""Messages that nobody can work on: a `failed` row where an asset is named, else the parking place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dam.catalogue.changes import Change
from dam.errors import CatalogueUnavailableError
from dam.ids import new_id
from tests.orchestrator.rig import draw, job_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue.changes import Outcome
    from tests.orchestrator.rig import Rig


def message(**fields: Any) -> tuple[str, bytes]:
    """A job's message with some fields changed, and the asset it is about; None removes a field."""
    job = job_for(draw(1))
    data = json.loads(job.to_bytes()) | fields
    return job.asset_id, json.dumps(
        {name: value for name, value in data.items() if value is not None}
    ).encode()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"schema": 2}, "unknown_schema"),
        ({"kind": "transcribe"}, "unknown_schema"),
        ({"schema": None}, "unknown_schema"),
        ({"size_bytes": "many"}, "malformed"),
        ({"sha256": None}, "malformed"),
        ({"wants": ["poem"]}, "malformed"),
        ({"received_at": "2026-05-04T03:02:01"}, "malformed"),  # which time zone?
        ({"key": "metadata/images.parquet"}, "malformed"),
        ({"key": f"assets/{new_id()}.jpg"}, "malformed"),  # another asset's original
    ],
)
async def test_an_unreadable_message_that_names_its_asset_becomes_a_failed_row(
    rig: Rig, fields: dict[str, Any], code: str
) -> None:
    """What can still be told stands in the row; a key that is not this asset's own does not."""
    asset_id, body = message(filename="cat.jpg", **fields)
    async with rig.orchestrator():
        await rig.queue.publish(body)
        await rig.settled()
        [row] = await rig.catalogue.history(asset_id)
    assert (row.event, row.status, row.error_code) == ("failed", "failed", code)
    assert (row.filename, row.asset_type, row.attempts) == ("cat.jpg", "image", 1)
    assert row.r2_key == (None if "key" in fields else f"assets/{asset_id}.jpg")
    assert row.error_message
    assert rig.queue.parked == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe not text",
        b"{",
        b"[1, 2]",
        b"null",
        b'"text"',
        b"[" * 100_000,
        b'{"schema": 1, "kind": "enrich"}',
        b'{"schema": 1, "kind": "enrich", "asset_id": 7}',
        b'{"schema": 1, "kind": "enrich", "asset_id": "../../metadata"}',
    ],
    ids=range(10),
)
async def test_a_message_that_names_no_asset_is_parked(rig: Rig, body: bytes) -> None:
    """It is kept as it came, with its reason, and work goes on."""
    async with rig.orchestrator():
        await rig.queue.publish(body)
        job = await rig.upload(draw(2))
        assert (await rig.row(job)).status == "ready"
        await rig.settled()
    [(parked, reason)] = rig.queue.parked
    assert parked == body
    assert reason.split(":")[0] in {"malformed", "unknown_schema"}


async def test_half_a_character_in_a_name_costs_only_the_name(rig: Rig) -> None:
    """JSON can spell what UTF-8 cannot: the row is written without it."""
    asset_id, body = message(filename="\ud800.jpg")
    async with rig.orchestrator():
        await rig.queue.publish(body)
        await rig.settled()
        [row] = await rig.catalogue.history(asset_id)
    assert (row.status, row.error_code, row.filename) == ("failed", "malformed", None)


async def test_an_unreadable_message_delivered_twice_makes_one_row(rig: Rig) -> None:
    """Its row has a change id of its own, the same each time."""
    asset_id, body = message(schema=2)
    async with rig.orchestrator():
        await rig.queue.publish(body)
        await rig.queue.publish(body)
        await rig.settled()
        assert [row.revision for row in await rig.catalogue.history(asset_id)] == [1]


async def test_an_unreadable_message_never_hides_an_asset_that_is_ready(rig: Rig) -> None:
    """A later schema's job for an asset with a row leaves that row as it is."""
    async with rig.orchestrator():
        job = await rig.upload(draw(3))
        first = await rig.row(job)
        data = json.loads(job.to_bytes()) | {"schema": 2, "change_id": new_id()}
        await rig.queue.publish(json.dumps(data).encode())
        await rig.settled()
        assert await rig.catalogue.history(job.asset_id) == [first]


async def test_a_dead_second_enrichment_leaves_the_asset_ready(rig: Rig) -> None:
    """Given up for now, the first result stands; what went wrong is a revision of its own."""
    data = draw(4)
    async with rig.orchestrator(max_attempts=1):
        job = await rig.upload(data)
        first = await rig.row(job)
        rig.bento.faults[data] = "500"
        await rig.upload(data, asset_id=job.asset_id, expected_revision=1)
        row = await rig.row_where(job, lambda row: row.revision == 2)
    assert (row.event, row.status, row.error_code) == ("failed", "ready", "inference_unavailable")
    assert (row.caption, row.vector_key) == (first.caption, first.vector_key)


async def test_a_dead_job_for_an_edited_asset_is_superseded(rig: Rig) -> None:
    """A person's revision is never overwritten by a late failure."""
    data = draw(5)
    async with rig.orchestrator(max_attempts=1):
        job = await rig.upload(data)
        await rig.row(job)
        edit = Change(job.asset_id, new_id(), 1, "edited", "ready", "person:anna", {"caption": "Mine"})
        await rig.catalogue.commit([edit])
        rig.bento.faults[data] = "500"
        await rig.upload(data, asset_id=job.asset_id, expected_revision=1)
        await rig.settled()
        assert (await rig.row(job)).revision == 2


async def test_dead_letters_are_recorded_while_the_bento_is_down(rig: Rig) -> None:
    """They need no models."""
    await rig.bento.stop()
    asset_id, body = message(schema=2)
    async with rig.queue.consume(1) as jobs:
        await rig.queue.publish(body)
        await (await anext(aiter(jobs))).dead_letter("unknown_schema", "From the future.")
    async with rig.orchestrator():
        await rig.settled()
        assert not rig.gates[0].is_open
        [row] = await rig.catalogue.history(asset_id)
    assert (row.error_code, row.error_message) == ("unknown_schema", "From the future.")


async def test_a_dead_letter_waits_while_the_catalogue_is_down(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither dropped nor parked, and recorded once the table answers."""
    commit, tries = rig.catalogue.commit, 0

    async def commit_later(changes: Sequence[Change]) -> list[Outcome]:
        nonlocal tries
        tries += 1
        if tries <= 4:
            raise CatalogueUnavailableError("The table does not answer.")
        return await commit(changes)

    monkeypatch.setattr(rig.catalogue, "commit", commit_later)
    monkeypatch.setattr("orchestrator.committing._FIRST_PAUSE_S", 0.01)
    asset_id, body = message(schema=2)
    async with rig.orchestrator():
        await rig.queue.publish(body)
        await rig.settled()
    assert tries == 5
    assert [row.status for row in await rig.catalogue.history(asset_id)] == ["failed"]
    assert rig.queue.parked == []
