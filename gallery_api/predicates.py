"""Filters as a predicate of the index. Pure: texts are quoted here and nowhere else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gallery_api.filters import Filters

_ORIENTATIONS = {"landscape": "width > height", "portrait": "width < height", "square": "width = height"}


def predicate_of(filters: Filters) -> str:
    """SQL for the rows that pass."""
    return " AND ".join(_terms(filters))


def _terms(filters: Filters) -> Iterator[str]:
    equal = {
        "status": filters.status or "ready",
        "asset_type": filters.asset_type,
        "mime_type": filters.mime,
        "embedding_by": filters.model,
    }
    yield from (f"{name} = {_quote(text)}" for name, text in equal.items() if text is not None)
    yield from (f"array_has_any(tags, [{_quote(tag)}])" for tag in filters.tag)
    if filters.orientation:
        yield _ORIENTATIONS[filters.orientation]
    bounds = {">=": filters.min_bytes, "<=": filters.max_bytes}
    yield from (f"size_bytes {sign} {bound}" for sign, bound in bounds.items() if bound is not None)
    if filters.rating is not None:
        yield f"rating >= {filters.rating}"
    for start, end in ((filters.start, filters.end), (filters.day, filters.day)):
        if start is not None:
            yield f"received_at >= {_moment(start)}"
        if end is not None:
            yield f"received_at < {_moment(end + timedelta(days=1))}"


def _moment(day: date) -> str:
    return f"to_timestamp_micros('{day.isoformat()}T00:00:00Z')"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
