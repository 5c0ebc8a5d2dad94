"""The real service, asked many things at once: batches form, and nobody pays for a neighbour."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from dam import routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.bentos.serving import Served

PICTURES = [
    path.read_bytes() for path in sorted((Path(__file__).parents[2] / "samples").glob("drawn-0*"))[:16]
]


@pytest.fixture
async def client(bento: Served) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=bento.url, timeout=60, limits=limits) as opened:
        yield opened


async def together(client: httpx.AsyncClient, route: str, pictures: Sequence[bytes]) -> list[httpx.Response]:
    """One request a picture, all at once."""
    posts = (client.post(route, files={"image": ("x", picture)}) for picture in pictures)
    return list(await asyncio.gather(*posts))


def ran(bento: Served, lane: str) -> tuple[float, float]:
    """Batches and items that a lane has run so far."""
    return bento.metric("dam_batch_size_count", lane=lane), bento.metric("dam_batch_size_sum", lane=lane)


@pytest.mark.parametrize("route", [routes.CAPTION, routes.EMBED])
async def test_one_truncated_picture_fails_alone(client: httpx.AsyncClient, route: str) -> None:
    """Of 16 at once, the truncated one gets its 400 and the other 15 what they get alone."""
    alone = [(await client.post(route, files={"image": ("x", picture)})).json() for picture in PICTURES]
    sent = list(PICTURES)
    sent[7] = sent[7][: len(sent[7]) // 2]
    answers = await together(client, route, sent)
    assert answers[7].status_code == 400
    assert answers[7].json()["code"] == "truncated"
    for number in set(range(16)) - {7}:
        answer, expected = answers[number].json(), alone[number]
        assert answer.pop("embedding", []) == pytest.approx(expected.pop("embedding", []), abs=1e-5)
        assert answer == expected


@pytest.mark.parametrize(("route", "lane"), [(routes.CAPTION, "caption"), (routes.EMBED, "embed_image")])
async def test_pictures_at_once_share_batches(
    bento: Served, client: httpx.AsyncClient, route: str, lane: str
) -> None:
    """Sixteen pictures at once run in fewer batches than sixteen, and the metrics say so."""
    batches, items = ran(bento, lane)
    answers = await together(client, route, PICTURES)
    assert [answer.status_code for answer in answers] == [200] * 16
    batches, items = ran(bento, lane)[0] - batches, ran(bento, lane)[1] - items
    assert items == 16
    assert batches <= 12


def test_texts_at_once_share_batches(bento: Served) -> None:
    """64 texts that arrive at the same moment run in fewer batches than 64."""
    batches, items = ran(bento, "embed_text")
    host, port = bento.url.removeprefix("http://").split(":")
    body = b'{"text": "two foxes left of a boat"}'
    head = (
        "POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    )
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(64)]
        for connection in sockets:
            connection.sendall(request)
        assert {connection.recv(12) for connection in sockets} == {b"HTTP/1.1 200"}
    batches, items = ran(bento, "embed_text")[0] - batches, ran(bento, "embed_text")[1] - items
    assert items == 64
    assert batches <= 48


@pytest.mark.parametrize("route", [routes.CAPTION, routes.EMBED])
async def test_burst_is_answered_or_put_off(client: httpx.AsyncClient, route: str) -> None:
    """200 calls at once get answers, or 429 or 503 with `Retry-After`; nothing else."""
    answers = await together(client, route, [PICTURES[number % 16] for number in range(200)])
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 429, 503}
    assert statuses[200] >= 60
    for answer in answers:
        if answer.status_code != 200:
            assert answer.json()["code"] == "overloaded"
            assert int(answer.headers["retry-after"]) >= 1


async def test_busy_spell_leaves_no_wait_behind(bento: Served, client: httpx.AsyncClient) -> None:
    """A lone call right after a busy spell runs alone and at once: its lane waits for nobody."""
    for _ in range(6):
        await together(client, routes.EMBED, PICTURES)
    batches, _ = ran(bento, "embed_image")
    waited = bento.metric("dam_queue_wait_seconds_sum", lane="embed_image")
    for picture in PICTURES[:8]:
        await together(client, routes.EMBED, [picture])
    assert ran(bento, "embed_image")[0] - batches == 8
    assert bento.metric("dam_queue_wait_seconds_sum", lane="embed_image") - waited < 8 * 0.05


def captions_by_status(bento: Served) -> dict[str, float]:
    """How often `/caption` was answered, and left, so far."""
    return {
        status: bento.metric("dam_bento_requests_total", route="/caption", status=status)
        for status in ("200", "429", "499")
    }


def test_nobody_works_for_clients_that_left(bento: Served) -> None:
    """Of 60 captions whose clients hang up, those not yet begun are not made; the next client is served."""
    before, made_before = captions_by_status(bento), ran(bento, "caption")[1]
    host, port = bento.url.removeprefix("http://").split(":")
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n' + PICTURES[0]
    body = part + b"\r\n--x--\r\n"
    head = "POST /caption HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(socket.create_connection((host, int(port)))).sendall(request)
    deadline = time.monotonic() + 30
    ended: dict[str, float] = {}
    while sum(ended.values()) < 60 and time.monotonic() < deadline:
        ended = {status: count - before[status] for status, count in captions_by_status(bento).items()}
        time.sleep(0.05)
    assert sum(ended.values()) == 60
    assert ended["499"] > 0
    made_for_nobody = ran(bento, "caption")[1] - made_before - ended["200"]
    assert made_for_nobody <= 16  # two batches: the one that ran, and one that began as they left
    answer = httpx.post(bento.url + "/caption", files={"image": PICTURES[0]}, timeout=30)
    assert answer.status_code == 200
