"""Assets that cannot be enriched: each ends as a `failed` row with a code and a reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dam import keys
from dam.ids import new_id
from dam.queue.port import RETRY_DELAYS_S
from tests.orchestrator.bento import caption
from tests.orchestrator.rig import RECEIVED_AT, draw, job_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.orchestrator.rig import Rig

WHOLE = draw(1, (300, 200))


@pytest.mark.parametrize(
    ("data", "settings", "code", "words"),
    [
        (b"#!/bin/sh\necho no picture\n" * 40, {}, "not_an_image", "Not an image"),
        (WHOLE[:-400], {}, "truncated", "upload the whole file"),
        (WHOLE, {"max_pixels": 300 * 200 - 1}, "too_many_pixels", "300 x 200"),
        (WHOLE, {"max_bytes": len(WHOLE) - 1}, "too_large", f"{len(WHOLE):,} bytes"),
        (b"", {}, "not_an_image", "Not an image"),
    ],
)
async def test_what_no_repetition_mends_fails_at_once(
    rig: Rig, data: bytes, settings: Mapping[str, Any], code: str, words: str
) -> None:
    """One attempt, one row with all that the upload knew; the Bento is not asked."""
    async with rig.orchestrator(**settings):
        job = await rig.upload(data, filename="broken ü.jpg")
        row = await rig.row(job)
        await rig.settled()
    assert (row.event, row.status, row.revision, row.attempts) == ("failed", "failed", 1, 1)
    assert row.error_code == code
    assert words in (row.error_message or "")
    assert (row.filename, row.r2_key, row.mime_type) == ("broken ü.jpg", job.key, "image/jpeg")
    assert (row.size_bytes, row.sha256, row.received_at) == (len(data), job.sha256, RECEIVED_AT)
    assert (row.vector_key, row.caption) == (None, None)
    assert rig.bento.asked.total() == 0


async def test_what_the_bento_refuses_fails_with_its_code(rig: Rig) -> None:
    """A 4xx is about this picture: its neighbours are done, its own row says what the Bento said."""
    data = draw(2)
    rig.bento.faults[data] = "422"
    async with rig.orchestrator():
        job, other = await rig.upload(data), await rig.upload(draw(3))
        row = await rig.row(job)
        assert (await rig.row(other)).status == "ready"
    assert (row.status, row.error_code, row.error_message) == ("failed", "code_422", "No.")


async def test_a_failure_for_now_is_retried_with_growing_delays_and_then_failed(rig: Rig) -> None:
    """Each attempt waits longer; the last makes a row through the dead letters."""
    data = draw(4)
    rig.bento.faults[data] = "500"
    async with rig.orchestrator():
        job = await rig.upload(data)
        row = await rig.row(job)
        await rig.settled()
    assert rig.queue.delays_s == list(RETRY_DELAYS_S[:4])
    assert (row.status, row.error_code, row.attempts) == ("failed", "inference_unavailable", 5)
    assert (row.error_message or "").endswith("Given up after 5 attempts.")
    assert rig.queue.parked == []


@pytest.mark.parametrize("lie", ["wrong_dim", "no_vector", "words", "too_long", "no_model", "no_caption"])
async def test_an_answer_that_makes_no_sense_is_never_stored(rig: Rig, lie: str) -> None:
    """It counts as the attempt's failure; with sound answers the next one succeeds."""
    data = draw(5)
    rig.bento.faults[data] = lie
    async with rig.orchestrator():
        job = await rig.upload(data)
        await rig.until(lambda: len(rig.queue.delays_s) == 1)
        assert await rig.catalogue.history(job.asset_id) == []
        rig.bento.faults.clear()
        row = await rig.row(job)
    assert (row.status, row.caption, row.attempts) == ("ready", caption(data), 2)


async def test_one_attempt_is_all_where_the_settings_say_so(rig: Rig) -> None:
    """`max_attempts` counts the first one."""
    rig.bento.answer_as = "500"
    async with rig.orchestrator(max_attempts=1):
        row = await rig.row(await rig.upload(draw(6)))
    assert (row.status, row.attempts) == ("failed", 1)
    assert rig.queue.delays_s == []


async def test_an_original_that_comes_late_is_waited_for(rig: Rig) -> None:
    """A job may be seen before its object is."""
    data = draw(7)
    job = job_for(data)
    await rig.queue.publish(job.to_bytes())
    async with rig.orchestrator():
        await rig.until(lambda: len(rig.queue.delays_s) == 1)
        await rig.store.put(job.key, data)
        row = await rig.row(job)
    assert (row.status, row.attempts) == ("ready", 2)


async def test_an_original_that_never_comes_is_failed(rig: Rig) -> None:
    """After three attempts its row says that it is missing."""
    job = job_for(draw(8))
    await rig.queue.publish(job.to_bytes())
    async with rig.orchestrator():
        row = await rig.row(job)
    assert (row.status, row.error_code, row.attempts) == ("failed", "original_missing", 3)
    assert job.key in (row.error_message or "")


@pytest.mark.parametrize("bento_max_bytes", [1_000_000, 100])  # read into memory, and into a file
@pytest.mark.parametrize("stored", [draw(9)[:-1] + b"!", draw(9) + b"!" * 5000, draw(9)[:300]])
async def test_other_bytes_than_were_uploaded_are_never_described(
    rig: Rig, stored: bytes, bento_max_bytes: int
) -> None:
    """Of other content, longer or shorter: size and SHA-256 tell."""
    job = job_for(draw(9))
    await rig.store.put(job.key, stored)
    await rig.queue.publish(job.to_bytes())
    async with rig.orchestrator(max_attempts=2, bento_max_bytes=bento_max_bytes):
        row = await rig.row(job)
    assert (row.status, row.error_code) == ("failed", "original_changed")
    assert rig.bento.asked.total() == 0


async def test_a_count_that_fits_no_column_fails_with_its_reason(rig: Rig) -> None:
    """The asset is told what is wrong with its message; the others are done."""
    asset_id = new_id()
    job = job_for(b"", asset_id=asset_id, key=keys.original(asset_id, "jpg"))
    body = json.loads(job.to_bytes()) | {"size_bytes": 2**70}
    async with rig.orchestrator(max_attempts=2):
        await rig.queue.publish(json.dumps(body).encode())
        other = await rig.upload(draw(10))
        row = await rig.row(job)
        assert (await rig.row(other)).status == "ready"
        await rig.settled()
    assert (row.status, row.error_code) == ("failed", "malformed")
    assert "size_bytes" in (row.error_message or "")
