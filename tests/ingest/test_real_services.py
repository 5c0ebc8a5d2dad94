"""The real process on real adapters: a folder and SQLite, and radosgw and RabbitMQ."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import httpx
import pytest

from dam import jobs
from dam.claims import read_claim
from dam.queue.opening import open_queue
from dam.settings import DamSettings
from dam.store.opening import open_store
from dam.uploads import upload_files
from tests.ingest.pictures import picture
from tests.ingest.serving import process
from tests.ingest.test_memory import MB, peak_while_uploading

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.jobs import EnrichJob
    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw


@pytest.fixture(params=["embedded", "real"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Settings of the embedded adapters, and of the real ones."""
    if request.param == "embedded":
        return {"DAM_DATA_DIR": str(tmp_path / "data")}
    radosgw: Radosgw = request.getfixturevalue("radosgw")
    rabbitmq: RabbitMq = request.getfixturevalue("rabbitmq")
    return radosgw.environment(radosgw.create_bucket()) | {"DAM_QUEUE_URL": rabbitmq.new_vhost()}


def settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> DamSettings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return DamSettings()


async def take_jobs(opened: DamSettings, count: int) -> list[EnrichJob]:
    queue = await open_queue(opened)
    try:
        async with asyncio.timeout(20), queue.consume(count) as deliveries:
            taken = []
            async for delivery in deliveries:
                taken.append(jobs.parse(delivery.body))
                await delivery.ack()
                if len(taken) == count:
                    break
            return taken
    finally:
        await queue.close()


async def test_upload_ends_in_bucket_and_queue(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many files at once, some equal: each content is one original, one claim and at least one job."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(24):
        (folder / f"{number} ü.png").write_bytes(picture(number % 16))
    with process(environment, tmp_path / "log") as (url, _):
        results = await upload_files(url, sorted(folder.iterdir()), 8)
    assert all(result.is_there for result in results)
    assert sum(result.outcome == "uploaded" for result in results) == 16
    opened = settings(environment, monkeypatch)
    store = await open_store(opened)
    try:
        originals = [info.key async for info in store.list("assets/")]
        assert len(originals) == 16
        for number in range(16):
            data = picture(number)
            claim = await read_claim(store, hashlib.sha256(data).hexdigest())
            assert claim is not None
            assert claim.key in originals
            stored = await store.get(claim.key)
            assert stored.data == data
            assert stored.info.content_type == "image/png"
            assert stored.info.metadata["filename"].endswith("%20%C3%BC.png")
    finally:
        await store.close()
    taken = await take_jobs(opened, 24)
    assert {job.key for job in taken} == set(originals)


async def test_memory_stays_flat(environment: dict[str, str], tmp_path: Path) -> None:
    """Large files, one and several at once, keep the process within 120 MB."""
    with process(environment, tmp_path / "log") as (url, service):
        one = await peak_while_uploading(url, service, 150 * MB)
        several = await peak_while_uploading(url, service, *(n * MB for n in range(40, 46)))
        assert max(one, several) < 120 * MB


async def test_broken_off_upload_leaves_nothing(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that goes away in the middle of a large file leaves no object in the bucket."""
    with process(environment, tmp_path / "log") as (url, _):
        target = httpx.URL(url)
        _, writer = await asyncio.open_connection(target.host, target.port)
        writer.write(
            b"POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 90000000\r\n"
            b"content-type: multipart/form-data; boundary=b\r\n\r\n"
            b'--b\r\ncontent-disposition: form-data; name="files"; filename="a.bmp"\r\n\r\n'
        )
        writer.write(picture(1, "BMP"))
        for _ in range(300):
            writer.write(bytes(100_000))
            await writer.drain()
        writer.close()
        async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(20):
            while "dam_uploads_receiving 0.0" not in (await client.get("/metrics")).text:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    store = await open_store(settings(environment, monkeypatch))
    try:
        assert [info.key async for info in store.list("")] == []
    finally:
        await store.close()


async def test_stop_finishes_what_is_being_received(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SIGTERM in the middle of an upload lets it end with its 202, its claim and its job."""
    data = picture(3, "BMP")

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="files"; filename="slow.bmp"\r\n\r\n'
        for at in range(0, len(data), 200):
            yield data[at : at + 200]
            await asyncio.sleep(0.1)
        yield b"\r\n--b--\r\n"

    with process(environment, tmp_path / "log") as (url, service):
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            headers = {"content-type": "multipart/form-data; boundary=b"}
            upload = asyncio.create_task(client.post("/upload", content=slowly(), headers=headers))
            await asyncio.sleep(0.4)
            service.terminate()
            response = await upload
        assert response.status_code == 202, response.text
        await asyncio.to_thread(service.wait, 20)
    [job] = await take_jobs(settings(environment, monkeypatch), 1)
    assert job.key == response.json()["files"][0]["r2_key"]


async def test_broker_that_is_away_at_the_start(tmp_path: Path) -> None:
    """Without its broker the service runs, names it at `/readyz`, keeps originals and answers 503."""
    environment = {
        "DAM_DATA_DIR": str(tmp_path / "data"),
        "DAM_QUEUE_URL": "amqp://someone:topsecret@127.0.0.1:9/",
    }
    with process(environment, tmp_path / "log", ready=False) as (url, _):
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            probe = await client.get("/readyz")
            upload = await client.post("/upload", files={"files": ("a.png", picture(1))})
    assert probe.status_code == 503
    assert probe.json()["dependencies"]["store"] == "up"
    assert "127.0.0.1:9" in probe.json()["dependencies"]["queue"]
    assert (upload.status_code, upload.json()["code"]) == (503, "queue_unavailable")
    assert len(list((tmp_path / "data").rglob("*.png"))) == 1
    told = probe.text + upload.text + (tmp_path / "log").read_text()
    assert "topsecret" not in told


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DAM_STORE_URL", "ftp://nowhere", "file:///folder or s3://bucket"),
        ("DAM_INGEST_PORT", "many", "ingest_port"),
    ],
)
def test_wrong_setting_stops_the_start(variable: str, value: str, said: str, tmp_path: Path) -> None:
    """A setting that cannot work ends the process with a sentence and a status, before it serves."""
    environment = {"DAM_DATA_DIR": str(tmp_path), variable: value}
    with (
        pytest.raises(AssertionError, match="did not get ready") as failure,
        process(environment, tmp_path / "log"),
    ):
        pass
    assert said.lower() in str(failure.value).lower()
