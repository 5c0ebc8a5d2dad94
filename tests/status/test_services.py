"""What each service says of itself, and what is said where it says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.status.standing import look, settings_of, standing

if TYPE_CHECKING:
    from pathlib import Path


async def test_one_that_is_ready(tmp_path: Path) -> None:
    """Its URL, and how soon it answered."""
    async with standing(200, {"status": "ready"}) as url:
        reading = (await look(settings_of(tmp_path, ingest_url=url)))["ingest"]
    assert (reading.state, reading.told) == ("ready", url)
    assert 0 < reading.facts["latency_ms"] < 7000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"status": "not ready", "dependencies": {"store": "up", "queue": "down: it is closed."}},
            "queue down: it is closed",
        ),
        ({"status": "waiting", "reason": "The Bento does not answer."}, "The Bento does not answer"),
        ({"detail": "the models are loaded"}, "the models are loaded"),
        (None, "it is still starting, or waits for something"),
        ([1], "it is still starting, or waits for something"),
    ],
)
async def test_one_that_is_not_ready(tmp_path: Path, body: Any, reason: str) -> None:
    """With the reason that it gives, in whichever form."""
    async with standing(503, body) as url:
        reading = (await look(settings_of(tmp_path, orchestrator_url=url)))["orchestrator"]
    assert reading.state == "not ready"
    assert reading.facts["reason"] == reason
    assert reading.told == f"{url}: {reason}."


async def test_one_that_is_no_service_of_ours(tmp_path: Path) -> None:
    """Somebody else has its port."""
    async with standing(404) as url:
        reading = (await look(settings_of(tmp_path, gallery_url=url)))["gallery"]
    assert reading.state == "not ready"
    assert "answers with status 404" in reading.told


async def test_one_that_is_down(tmp_path: Path) -> None:
    """Nothing listens there."""
    reading = (await look(settings_of(tmp_path)))["bento"]
    assert (reading.state, reading.facts["reason"]) == ("down", "nothing answers there")


async def test_one_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    """It is told after its time; a password in its URL is not."""
    async with standing(0) as hanging, standing(200) as well:
        known = hanging.replace("http://", "http://me:hunter2@")
        settings = settings_of(tmp_path, bento_url=known, ingest_url=well, status_timeout_s=1)
        readings = await look(settings)
    assert readings["bento"].state == "down"
    assert "answer" in readings["bento"].told
    assert readings["ingest"].state == "ready"
