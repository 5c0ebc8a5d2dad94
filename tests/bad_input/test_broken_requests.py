"""Requests that are none, clients that dawdle and clients that only hold on: nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from tests.bad_input import breaking
from tests.bad_input.requests_table import REQUESTS, Request
from tests.bad_input.running import BODY_S, LIMITS_MB, Stack
from tests.bad_input.wire import PROBE, Door, Sent, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_AT_ONCE_S: Final = 1.0
_IDLE: Final = 200
_CASES: Final = [pytest.param(case, id=case.name) for cases in REQUESTS.values() for case in cases]


@pytest.fixture
def doors(stack: Stack) -> Iterator[dict[str, Door]]:
    """What takes a body at each service. In the end they must be the same processes, within their memory."""
    known = {
        "ingest": (stack.addresses.ingest, b"/upload", b"files"),
        "gallery": (stack.addresses.gallery, b"/api/search", b"image"),
        "bento": (stack.addresses.bento, b"/caption", b"image"),
        "orchestrator": (stack.addresses.orchestrator, b"/healthz", b"none"),
    }
    pids = stack.pids()
    yield {name: Door(urlsplit(url).port or 0, route, field) for name, (url, route, field) in known.items()}
    assert stack.pids() == pids
    peaks = stack.peaks_mb()
    assert all(peaks[name] < limit for name, limit in LIMITS_MB.items()), peaks


async def check_that_all_answer(doors: dict[str, Door]) -> None:
    """Each service answers a good request at once."""
    async with asyncio.timeout(_AT_ONCE_S):
        replies = await asyncio.gather(*(send(door.port, PROBE) for door in doors.values()))
    assert [reply.statuses for reply in replies] == [[200]] * len(doors)


@pytest.mark.parametrize("case", _CASES)
async def test_a_broken_request_is_refused_and_forgotten(case: Request, doors: dict[str, Door]) -> None:
    """As the table says, never with a 5xx, and the next request is answered within a second."""
    expected = {name: told for name, told in asdict(case.ends).items() if told}
    for make in case.variants:
        sent = {name: make(doors[name]) for name in expected}
        replies = await asyncio.gather(*(send(doors[name].port, data) for name, data in sent.items()))
        told = {name: reply.told() for name, reply in zip(sent, replies, strict=True)}
        assert told == expected, next(iter(sent.values())).data[:300]
        assert all(status < 500 for reply in replies for status in reply.statuses)
        await check_that_all_answer(doors)


async def test_a_client_that_closes_its_half_does_no_harm(doors: dict[str, Door]) -> None:
    """It has its answer, or is taken for gone: the servers cannot tell the two apart."""
    probe = Sent(PROBE.data, ends=True)
    replies = await asyncio.gather(*(send(door.port, probe) for door in doors.values() for _ in range(50)))
    assert {reply.told() for reply in replies} <= {"200, closed", "no answer, closed"}
    await check_that_all_answer(doors)


@pytest.mark.parametrize("beginning", [b"", PROBE.data[:20]], ids=["nothing", "half a head"])
async def test_idle_connections_keep_nobody_out(doors: dict[str, Door], beginning: bytes) -> None:
    """200 connections to each service that say nothing, or half of something: others are answered at once."""
    async with contextlib.AsyncExitStack() as held:
        for door in doors.values():
            await asyncio.gather(*(held.enter_async_context(hold(door, beginning)) for _ in range(_IDLE)))
        await check_that_all_answer(doors)
    await check_that_all_answer(doors)


@contextlib.asynccontextmanager
async def hold(door: Door, beginning: bytes) -> AsyncIterator[asyncio.StreamWriter]:
    """A connection that has only begun."""
    _, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(beginning)
    await writer.drain()
    try:
        yield writer
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("service", "route", "drip_s", "told"),
    [
        ("ingest", b"/upload", BODY_S * 2, "408 stalled"),
        ("gallery", b"/api/upload", BODY_S * 2, "408 stalled"),
        ("gallery", b"/api/search", BODY_S * 2, "408 stalled"),
        ("gallery", b"/api/assets/batch", BODY_S * 2, "408 stalled"),
        ("bento", b"/caption", 1.0, "408 body_timeout"),
    ],
)
async def test_a_slow_body_is_given_up(
    doors: dict[str, Door], service: str, route: bytes, drip_s: float, told: str
) -> None:
    """Most wait so long for the next byte, the Bento for the whole; others are answered meanwhile."""
    door = replace(doors[service], route=route)
    start = breaking.head_of(door, b"Content-Length: 1000") + breaking.form_of(door.field)[:40]
    reading = asyncio.create_task(send(door.port, Sent(start, drip_s=drip_s)))
    while not reading.done():
        await check_that_all_answer(doors)
        await asyncio.wait({reading}, timeout=0.5)
    assert reading.result().told().removesuffix(", closed") == told


@pytest.mark.parametrize("service", ["gallery", "bento"])
async def test_a_body_without_end_is_refused(doors: dict[str, Door], service: str) -> None:
    """200 MB where a picture is the most: 413, or the connection is closed, and memory is kept within."""
    door = doors[service]
    start = breaking.head_of(door, b"Content-Length: 200000000") + breaking.form_of(door.field)[:-10]
    reply = await send(door.port, Sent(start + bytes(200_000_000)))
    assert reply.statuses in ([413], [])
