"""Bodies that come slowly, stop, or break off, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.ingest.pictures import picture
from tests.ingest.serving import Service, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEAD = b'--b\r\ncontent-disposition: form-data; name="files"; filename="slow.bmp"\r\n\r\n'
END = b"\r\n--b--\r\n"
BITMAP = picture(5, "BMP")


async def connect(service: Service, length: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request whose headers are sent and whose body the test sends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(
        b"POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n"
        b"content-type: multipart/form-data; boundary=b\r\n\r\n" % length
    )
    return reader, writer


async def settled(service: Service) -> None:
    """Wait until the service is receiving nothing."""
    async with asyncio.timeout(5):
        while "dam_uploads_receiving 0.0" not in (await service.client.get("/metrics")).text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", [0.0, 0.3, 0.99])
async def test_disconnect_leaves_nothing(service: Service, sent: float) -> None:
    """A client that goes away in the middle of a file leaves no original, no claim and no job."""
    body = HEAD + BITMAP + END
    _, writer = await connect(service, len(body))
    writer.write(body[: int(len(HEAD) + len(BITMAP) * sent)])
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    await settled(service)
    assert service.keys() == []
    assert service.jobs() == []
    assert (await service.upload(("a.png", picture(1)))).status_code == 202


async def test_disconnect_keeps_the_files_before(service: Service) -> None:
    """Of several files, those that had arrived whole stay and are queued; the cut one leaves nothing."""
    body = HEAD + BITMAP + b"\r\n" + HEAD + BITMAP + END
    _, writer = await connect(service, len(body))
    writer.write(body[:-1000])
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await settled(service)
    assert len(service.keys("assets/")) == len(service.keys("hashes/")) == len(service.jobs()) == 1


async def test_body_cut_with_a_proper_end_is_refused(service: Service) -> None:
    """A body that ends in the middle of a file, though complete for HTTP, is 422 and leaves nothing."""
    response = await service.client.post(
        "/upload",
        content=HEAD + BITMAP[:500],
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert (response.status_code, response.json()["code"]) == (422, "bad_multipart")
    assert [file["filename"] for file in response.json()["files"]] == ["slow.bmp"]
    assert service.keys() == []


async def test_slow_body_is_taken_and_holds_nobody_up(service: Service) -> None:
    """A body that trickles in is taken, and others are served meanwhile."""
    body = HEAD + BITMAP + END

    async def trickle() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 100):
            yield body[at : at + 100]
            await asyncio.sleep(0.01)

    slow = asyncio.create_task(
        service.client.post(
            "/upload", content=trickle(), headers={"content-type": "multipart/form-data; boundary=b"}
        )
    )
    await asyncio.sleep(0.05)
    assert (await service.upload(("quick.png", picture(1)))).status_code == 202
    assert not slow.done()
    response = await slow
    assert response.status_code == 202
    [file] = response.json()["files"]
    assert service.store.objects[file["r2_key"]].data == BITMAP


async def test_stalled_body_is_given_up() -> None:
    """A body that stops coming is 408, leaves nothing, and its connection is closed."""
    async with running(body_idle_s=0.2) as service:
        body = HEAD + BITMAP + END
        reader, writer = await connect(service, len(body))
        writer.write(body[:1000])
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert b" 408 " in answer.splitlines()[0]
        assert b'"stalled"' in answer
        assert service.keys() == []


async def test_answer_arrives_though_the_body_is_refused_early(service: Service) -> None:
    """A client that is still sending a broken form gets its 422, not a reset connection."""
    response = await service.client.post(
        "/upload",
        content=b"this is no boundary" + bytes(8_000_000),
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert (response.status_code, response.json()["code"]) == (422, "bad_multipart")
    assert response.headers["connection"] == "close"


async def test_connection_is_reused_after_a_refused_file(service: Service) -> None:
    """A file that is too large is read to its end, so that the connection stays usable."""
    async with httpx.AsyncClient(base_url=service.client.base_url) as client:
        for _ in range(3):
            response = await client.post("/upload", files={"files": ("a.png", picture(1) + bytes(3_000_000))})
            assert response.status_code == 413
            assert "connection" not in response.headers


async def test_too_many_bodies_at_once_are_asked_to_wait() -> None:
    """Where the memory for bodies is taken for too long, the next request is 503 `busy`."""
    async with running(upload_memory_bytes=1024 * 1024, upload_wait_s=0.2) as service:
        _, writer = await connect(service, 50_000_000)
        writer.write(HEAD + BITMAP)
        await writer.drain()
        await asyncio.sleep(0.05)
        response = await service.upload(("a.png", picture(1)))
        assert (response.status_code, response.json()["code"]) == (503, "busy")
        assert int(response.headers["retry-after"]) > 0
        writer.close()
        await settled(service)
        assert (await service.upload(("a.png", picture(1)))).status_code == 202
