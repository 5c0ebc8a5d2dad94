"""The real process: it refuses wrong settings, waits for what is not up yet, works, and stops."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING

import pytest

from dam.catalogue.table import Catalogue
from dam.queue.opening import open_queue
from dam.settings import DamSettings
from dam.store.opening import open_store
from tests.orchestrator.bento import FakeBento, caption
from tests.orchestrator.process import running
from tests.orchestrator.rig import draw, job_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dam.catalogue.row import Row
    from dam.jobs import EnrichJob
    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw


def embedded(folder: Path, **more: str) -> dict[str, str]:
    return {"DAM_DATA_DIR": str(folder / "data"), **more}


def settings_of(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> DamSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return DamSettings()


async def upload(settings: DamSettings, count: int) -> list[EnrichJob]:
    """What ingest does."""
    store, queue = await open_store(settings), await open_queue(settings)
    try:
        jobs = [job_for(draw(number)) for number in range(count)]
        for number, job in enumerate(jobs):
            await store.put(job.key, draw(number), content_type=job.mime_type)
            await queue.publish(job.to_bytes())
        return jobs
    finally:
        await queue.close()
        await store.close()


async def rows_of(settings: DamSettings, jobs: list[EnrichJob]) -> list[Row]:
    """Their rows, as soon as all are there."""
    catalogue = await Catalogue.open(settings)
    try:
        async with asyncio.timeout(40):
            while True:
                rows = await catalogue.current([job.asset_id for job in jobs])
                if len(rows) == len(jobs):
                    return [rows[job.asset_id] for job in jobs]
                await asyncio.sleep(0.1)
    finally:
        await catalogue.close()


async def test_it_works_and_stops_with_status_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the embedded adapters: pictures become rows; SIGTERM, twice, ends it in good order."""
    bento = FakeBento(delay_s=0.2)
    await bento.start()
    try:
        environment = embedded(tmp_path, DAM_BENTO_URL=bento.url)
        settings = settings_of(environment, monkeypatch)
        with running(environment, tmp_path / "log") as started:
            rows = await rows_of(settings, await upload(settings, 8))
            ready = await asyncio.to_thread(started.answer, "/readyz")
            late = await upload(settings, 1)
            while not bento.in_flight:  # noqa: ASYNC110 - the Bento offers no event
                await asyncio.sleep(0.01)
            started.process.terminate()
            await asyncio.sleep(0.05)
            status = await asyncio.to_thread(started.stop)
        assert ready.status_code == 200
        assert [(row.status, row.caption) for row in rows] == [
            ("ready", caption(draw(number))) for number in range(8)
        ]
        assert status == 0
        assert [row.status for row in await rows_of(settings, late)] == ["ready"]  # it was in hand
        assert '"orchestrator.stopped"' in started.said()
        assert "Traceback" not in started.said()
    finally:
        await bento.stop()


@pytest.mark.parametrize(
    ("environment", "status", "words"),
    [
        ({"DAM_PREFETCH": "0"}, 2, ["DAM_PREFETCH", "greater than or equal to 1"]),
        (
            {"DAM_MAX_ATTEMPTS": "many", "DAM_BENTO_TIMEOUT_S": "-1"},
            2,
            ["DAM_MAX_ATTEMPTS", "DAM_BENTO_TIME"],
        ),
        ({"DAM_LOG_LEVEL": "LOUD"}, 2, ["DAM_LOG_LEVEL"]),
        ({"DAM_BENTO_URL": "localhost:3000"}, 2, ["DAM_BENTO_URL", "http"]),
        ({"DAM_STORE_URL": "ftp://bucket"}, 1, ["DAM_STORE_URL", "s3://bucket"]),
        ({"DAM_QUEUE_URL": "redis://secret@localhost"}, 1, ["DAM_QUEUE_URL", "amqp"]),
    ],
)
def test_wrong_settings_end_it_with_a_sentence(
    tmp_path: Path, environment: dict[str, str], status: int, words: list[str]
) -> None:
    """It names the variable and what it must be, shows no traceback and no secret, and takes no job."""
    with running(embedded(tmp_path, **environment), tmp_path / "log") as started:
        assert started.process.wait(40) == status
    for word in words:
        assert word in started.said()
    assert "Traceback" not in started.said()
    assert "secret" not in started.said()


def test_without_a_bento_it_waits_and_says_so(tmp_path: Path) -> None:
    """It lives, is not ready, and stops at once when it is told to."""
    environment = embedded(tmp_path, DAM_BENTO_URL="http://127.0.0.1:9")
    with running(environment, tmp_path / "log") as started:
        started.wait_for("intake.waiting")
        alive, ready = started.answer("/healthz"), started.answer("/readyz")
        at = time.monotonic()
        assert started.stop() == 0
    assert time.monotonic() - at < 10
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert "http://127.0.0.1:9 does not answer" in ready.json()["reason"]


async def test_it_waits_for_a_store_and_a_queue_that_are_not_up_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, radosgw: Radosgw, rabbitmq: RabbitMq
) -> None:
    """Started first, it works as soon as both are there: services may start in any order."""
    bento = FakeBento()
    await bento.start()
    environment = radosgw.environment(radosgw.create_bucket()) | {
        "DAM_QUEUE_URL": rabbitmq.new_vhost(),
        "DAM_BENTO_URL": bento.url,
        "DAM_STORE_TIMEOUT_S": "1",
        "DAM_STORE_MAX_ATTEMPTS": "1",
    }
    settings = settings_of(environment, monkeypatch)
    radosgw.kill()
    rabbitmq.kill()
    try:
        with running(environment, tmp_path / "log") as started:
            await asyncio.to_thread(started.wait_for, '"waiting_for": "catalogue"')
            waiting = await asyncio.to_thread(started.answer, "/readyz")
            radosgw.restart()
            await asyncio.to_thread(started.wait_for, '"waiting_for": "queue"')
            rabbitmq.restart()
            jobs = await upload(settings, 3)
            rows = await rows_of(settings, jobs)
            assert await asyncio.to_thread(started.stop) == 0
    finally:
        await bento.stop()
        radosgw.restart()
    assert waiting.status_code == 503
    assert [(row.status, row.sha256) for row in rows] == [
        ("ready", hashlib.sha256(draw(number)).hexdigest()) for number in range(3)
    ]


def test_a_stop_while_it_waits_for_its_store_is_a_graceful_one(tmp_path: Path) -> None:
    """Nothing was taken, so nothing is lost: status 0."""
    environment = embedded(
        tmp_path,
        DAM_STORE_URL="s3://nowhere",
        DAM_STORE_ENDPOINT_URL="http://127.0.0.1:9",
        DAM_STORE_ACCESS_KEY_ID="someone",
        DAM_STORE_SECRET_ACCESS_KEY="topsecret",
        DAM_STORE_MAX_ATTEMPTS="1",
    )
    with running(environment, tmp_path / "log") as started:
        started.wait_for("orchestrator.waiting")
        assert started.stop() == 0
    assert "topsecret" not in started.said()
