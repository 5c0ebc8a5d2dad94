"""Bytes to a service's socket, as no client library would send them, and what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass
from typing import Final

_STATUS: Final = re.compile(rb"^HTTP/\d\.\d (\d{3}) ", re.MULTILINE)
_PATIENCE_S: Final = 30.0
_QUIET_S: Final = 0.3
"""After an answer: a second one would have come by then."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a service takes a body: its port, its route, and the field that a form has for a file."""

    port: int
    route: bytes
    field: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """With `ends`, our half is then closed; with `drip_s`, a byte follows after every so many seconds."""

    data: bytes
    ends: bool = False
    drip_s: float = 0.0


PROBE: Final = Sent(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything that came back, and whether the service closed the connection."""

    data: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        """Of every answer, in order."""
        return [int(status) for status in _STATUS.findall(self.data)]

    def told(self) -> str:
        """The last answer's status and code, and whether the connection was closed."""
        first = f"{self.statuses[-1]}{self._code()}" if self.statuses else "no answer"
        return f"{first}, closed" if self.closed else first

    def _code(self) -> str:
        body = self.data.rpartition(b"\r\n\r\n")[2]
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return f" {json.loads(body)['code']}"
        return ""


async def send(port: int, what: Sent) -> Reply:
    """One connection: send all, then read until it is closed, or until nothing comes behind an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writing = asyncio.create_task(_write(writer, what))
    received, closed = bytearray(), False
    try:
        while not closed:
            async with asyncio.timeout(_QUIET_S if received else _PATIENCE_S):
                data = await reader.read(1 << 16)
            received += data
            closed = not data
    except ConnectionError:
        closed = True
    except TimeoutError:
        pass
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        writer.close()
    return Reply(bytes(received), closed)


async def _write(writer: asyncio.StreamWriter, what: Sent) -> None:
    """All of it; a service that closes the connection meanwhile may do so."""
    with contextlib.suppress(ConnectionError):
        writer.write(what.data)
        await writer.drain()
        if what.ends:
            writer.write_eof()
        while what.drip_s:
            await asyncio.sleep(what.drip_s)
            writer.write(b"-")
            await writer.drain()
