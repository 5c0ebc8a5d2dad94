"""A bad wire in front of a real HTTP server: between the services and the bucket, or the Bento.

The harness lays one before each; a harm sets its `weather` for a while. It runs in a thread of its own, so
that tests need no loop, and leaves the bytes of a request as they are, so that signatures stay valid.
"""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tests.store.proxy import Fault, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

Weather = Literal["fine", "refusing", "slow", "cut", "hanging", "nonsense"]

SLOW_S: Final = 5.0
_NONSENSE: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n"
    b'Connection: close\r\n\r\n{"captions": [42, {}}'
)
_FAULTS: Final = {"refusing": Fault("refuse"), "cut": Fault("cut"), "hanging": Fault("hang")}


@dataclass
class Wire(Proxy):
    """Passes everything on in fine weather; else every second request, by chance, meets the weather."""

    weather: Weather = "fine"
    met: int = 0
    """How many requests met bad weather."""

    def _next_fault(self, method: str) -> Fault:  # noqa: ARG002 - any method
        self.requests.clear()
        if self.weather not in _FAULTS or random.random() < 0.5:  # noqa: S311 - weather
            return Fault("pass")
        self.met += 1
        return _FAULTS[self.weather]

    async def _forward(self, head: str, body: bytes) -> bytes:
        if self.weather == "slow":
            self.met += 1
            await asyncio.sleep(SLOW_S)
        if self.weather == "nonsense":
            self.met += 1
            return _NONSENSE
        if self.weather == "cut" and body and random.random() < 0.5:  # noqa: S311 - weather
            return await self._cut_request(head, body)
        return await super()._forward(head, body)

    async def _cut_request(self, head: str, body: bytes) -> bytes:
        """Half of a request's body arrives, then both sides are cut off."""
        host, _, port = self.upstream.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode() + body[: len(body) // 2])
        await writer.drain()
        writer.close()
        self.met += 1
        raise ConnectionResetError


def lay(upstream: str) -> Iterator[Wire]:
    """A wire to `upstream` (http://host:port); it is there until the iterator is resumed."""
    wire = Wire(upstream)
    laid, lifted = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def stand() -> None:
        async with wire:
            laid.set()
            await lifted.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(stand(),), name="wire")
    thread.start()
    assert laid.wait(10)
    yield wire
    loop.call_soon_threadsafe(lifted.set)
    thread.join(10)
    loop.close()
