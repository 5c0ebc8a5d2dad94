"""Metadata of originals, and the jobs made of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dam.originals import UNKNOWN_ACTOR, job_of, metadata_of
from dam.store.port import ObjectInfo

ID = "019abf3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"
MODIFIED = datetime(2026, 1, 2, tzinfo=UTC)


def original(metadata: dict[str, str]) -> ObjectInfo:
    return ObjectInfo(f"assets/{ID}.png", 12, "etag", MODIFIED, "image/png", metadata)


def test_metadata_make_the_job_again() -> None:
    """A job made of a head has the name, the time and the actor that the metadata were made of, all ASCII."""
    received_at = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=timezone(timedelta(hours=2)))
    metadata = metadata_of("日本 100%.png", received_at, "person:Zoë")
    assert all(value.isascii() for value in metadata.values())
    job = job_of(original(metadata), ID, "ab" * 32)
    assert (job.filename, job.received_at, job.actor) == ("日本 100%.png", received_at, "person:Zoë")
    assert (job.key, job.size_bytes, job.mime_type, job.asset_id) == (f"assets/{ID}.png", 12, "image/png", ID)
    assert (job.sha256, job.expected_revision) == ("ab" * 32, 0)


@pytest.mark.parametrize("time", [None, "yesterday", "2026-01-01T00:00:00"])
def test_original_of_something_else(time: str | None) -> None:
    """An original without our metadata, or with a time that says nothing, still makes a job."""
    job = job_of(original({} if time is None else {"received-at": time}), ID, "ab" * 32)
    assert (job.filename, job.received_at, job.actor) == (f"{ID}.png", MODIFIED, UNKNOWN_ACTOR)
