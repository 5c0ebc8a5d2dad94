"""A bucket server that lies: one that ignores conditions, and one whose clock is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.store.proxy import Proxy

_DATE = re.compile(rb"^Date:[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_TAKEN = b'HTTP/1.1 200 OK\r\nETag: "0123456789abcdef0123456789abcdef"\r\nContent-Length: 0\r\n\r\n'


@dataclass
class LyingProxy(Proxy):
    """`ignores_conditions`: what the server refuses by its condition is told to be taken.

    `clock_off`: how far its `Date` is off.
    """

    ignores_conditions: bool = False
    clock_off: timedelta | None = None

    async def _forward(self, head: str, body: bytes) -> bytes:
        answer = await super()._forward(head, body)
        if self.ignores_conditions and answer.startswith(b"HTTP/1.1 412"):
            return _TAKEN
        if self.clock_off is not None:
            date = format_datetime(datetime.now(UTC) + self.clock_off, usegmt=True)
            return _DATE.sub(f"Date: {date}".encode(), answer, count=1)
        return answer
