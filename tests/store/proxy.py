"""A proxy in front of a real S3 server that loses, cuts, refuses and delays what the test tells it to.

One request a connection; the request's bytes pass unchanged, so that its signature stays valid.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType

REFUSAL = (
    "HTTP/1.1 {status} Refused\r\nContent-Type: application/xml\r\nContent-Length: {size}\r\n"
    "Connection: close\r\n\r\n"
)


@dataclass(frozen=True)
class Fault:
    """What happens to one request whose method is `method` (any, where empty).

    `kind`: `refuse` (answer `status` in its stead), `drop` (close before it is passed on), `lose` (pass it
    on, close without its answer), `cut` (close after half of its answer's body), `hang` (never answer),
    `pass` (pass it on).
    """

    kind: str
    method: str = ""
    status: int = 503
    code: str = "SlowDown"


@dataclass
class Proxy:
    """Use as an async context manager; `faults` are used up in order, each by the first request it fits."""

    upstream: str
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    """Request line and headers of each request, as it came."""
    port: int = 0

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def count(self, method: str) -> int:
        """How many requests of this method came."""
        return sum(request.startswith(f"{method} ") for request in self.requests)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(head)
        lengths = [line for line in head.lower().split("\r\n") if line.startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0].split(":")[1])) if lengths else b""
        fault = self._next_fault(head.split()[0])
        if fault.kind == "hang":
            await asyncio.Event().wait()
        if fault.kind == "drop":
            return
        if fault.kind == "refuse":
            xml = f"<Error><Code>{fault.code}</Code><Message>Refused.</Message></Error>"
            answer = (REFUSAL.format(status=fault.status, size=len(xml)) + xml).encode()
        else:
            answer = await self._forward(head, body)
        if fault.kind == "lose":
            return
        if fault.kind == "cut":
            start = answer.index(b"\r\n\r\n") + 4
            answer = answer[: start + (len(answer) - start) // 2]
        writer.write(answer)
        await writer.drain()

    def _next_fault(self, method: str) -> Fault:
        for fault in self.faults:
            if fault.method in {"", method}:
                self.faults.remove(fault)
                return fault
        return Fault("pass")

    async def _forward(self, head: str, body: bytes) -> bytes:
        target = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        try:
            # A header that is not signed may be added.
            writer.write(head[:-2].encode() + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()
