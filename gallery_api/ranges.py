"""One byte range of a request (RFC 9110): `bytes=0-99`, `bytes=100-`, `bytes=-100`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gallery_api import refusals

# `int` would not read 5,000 digits.
_RANGE: Final = re.compile(r"bytes\s*=\s*(\d{0,99})\s*-\s*(\d{0,99})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Requested:
    """`Range` and `If-Range` of a request."""

    byte_range: str | None = None
    if_range: str | None = None

    def read(self, size: int, etag: str) -> tuple[int, int] | None:
        """As `read_range`; the whole where the client's part is of another object than this one."""
        is_same = self.if_range is None or self.if_range.strip() == etag
        return read_range(self.byte_range if is_same else None, size)


def read_range(requested: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None where the whole is to be sent.

    What is no single range is ignored, as the standard has it.

    Raises:
        RefusalError: the range begins behind the end.
    """
    match = _RANGE.fullmatch(requested.strip()) if requested else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            return None
    if start >= size or start >= end:
        raise refusals.range_not_satisfiable(size)
    return start, end
