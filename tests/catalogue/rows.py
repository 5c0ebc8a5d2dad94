"""Rows as commits make them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dam.catalogue import Catalogue, Committed, Row
from tests.catalogue.changes import change

if TYPE_CHECKING:
    from dam.catalogue import Outcome

VALUES: dict[str, Any] = {
    "filename": "Ferien é 🦊.png",
    "r2_key": "assets/x.png",
    "vector_key": "vectors/x.json",
    "mime_type": "image/png",
    "caption": 'it\'s a "fox"\n',
    "received_at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "asset_type": "image",
    "size_bytes": 2**40,
    "sha256": "0" * 64,
    "width": 640,
    "height": 480,
    "tags": ["a", "", "é"],
    "embedding": [0.25, -1.0],
    "attempts": 0,
}


def rows_of(outcomes: list[Outcome]) -> list[Row]:
    rows = [outcome.row for outcome in outcomes if isinstance(outcome, Committed)]
    assert len(rows) == len(outcomes), outcomes
    return rows


async def enrich(catalogue: Catalogue, count: int, **values: Any) -> list[Row]:
    return rows_of(await catalogue.commit([change(**values) for _ in range(count)]))
