"""Heads of requests that never end, at a real server on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import pytest
import pytest_asyncio
import uvicorn

from dam import heads
from dam.heads import BoundedHeads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
    from typing import Any

CHUNKED: Final = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


async def count_body(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answers how many bytes the body had."""
    assert scope["type"] == "http"
    count, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        count, more = count + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(count).encode()})


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(count_body, http=BoundedHeads, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - the server offers no event
            await asyncio.sleep(0.005)
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


async def ask(port: int, *pieces: bytes) -> bytes:
    """Everything that is answered until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.parametrize("header", [b"x-%d: y\r\n", b"%d"], ids=["many headers", "one header"])
async def test_endless_headers_are_refused(port: int, header: bytes) -> None:
    """Many of them, or one without an end: 431, and the connection is closed."""
    pieces = (b"".join(header % number for number in range(at, at + 500)) for at in range(0, 200_000, 500))
    answer = await ask(port, b"GET / HTTP/1.1\r\nhost: x\r\nx: ", *pieces)
    assert answer == b"" or b" 431 " in answer.splitlines()[0]


async def test_endless_headers_are_told_why(port: int) -> None:
    """A client that stops there reads 431 and a code."""
    answer = await ask(port, b"GET / HTTP/1.1\r\nhost: x\r\n", b"x: " + b"y" * heads.MAX_BYTES)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b'"head_too_large"' in answer


async def test_endless_trailers_end_the_connection(port: int) -> None:
    """What follows the last chunk is bounded as well."""
    pieces = [b"x: " + b"y" * 1_000 + b"\r\n"] * 1_000
    assert await ask(port, CHUNKED + b"1\r\nz\r\n0\r\n", *pieces) == b""


async def test_slow_head_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that does not come is 408."""
    monkeypatch.setattr(heads, "MAX_S", 0.2)
    answer = await ask(port, b"GET / HTTP/1.1\r\nhost")
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


async def test_bodies_of_any_size_pass(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large ones, tiny chunks, and a body that takes longer than a head may."""
    monkeypatch.setattr(heads, "MAX_S", 0.2)
    whole = await ask(
        port,
        b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3000000\r\n\r\n",
        *[bytes(100_000)] * 30,
    )
    assert whole.endswith(b"\r\n\r\n3000000") or b"3000000" in whole
    closing = CHUNKED.replace(b"host: x", b"host: x\r\nconnection: close")
    tiny = await ask(port, closing, *[b"1\r\nz\r\n" * 1_000] * 100, b"0\r\n\r\n")
    assert b"100000" in tiny
    large = b"186a0\r\n" + bytes(100_000) + b"\r\n"
    mixed = await ask(port, closing, *[(b"1\r\nz\r\n" + large) * 2 + b"1\r\nz\r\n" * 1_000] * 3, b"0\r\n\r\n")
    assert b"603006" in mixed
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(closing + b"1\r\nz\r\n")
    await asyncio.sleep(0.4)
    writer.write(b"0\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
