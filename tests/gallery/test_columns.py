"""The columns: ids are found and placed in whatever order they came."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dam.catalogue import Row
from dam.catalogue.encoding import rows_to_table
from gallery_api.listing.columns import COLUMNS, Columns

if TYPE_CHECKING:
    import pyarrow as pa

_UUIDS = st.uuids() | st.integers(0, 255).map(lambda number: UUID(int=number << 120))


def _rows(ids: list[str]) -> pa.RecordBatch:
    fixed: dict[str, Any] = {"revision": 1, "change_id": "x", "recorded_at": datetime(2026, 5, 4, tzinfo=UTC)}
    rows = [Row(id=key, event="enriched", actor="person:ann", status="ready", **fixed) for key in ids]
    return rows_to_table(rows).select(list(COLUMNS)).combine_chunks().to_batches()[0]


@given(st.lists(st.lists(_UUIDS, min_size=1, max_size=20), max_size=4), st.lists(_UUIDS, max_size=20))
def test_ids_are_found_and_placed(batches: list[list[UUID]], others: list[UUID]) -> None:
    """Among none too, and where ids end in zero bytes."""
    columns = Columns()
    for batch in batches:
        columns.apply(_rows([str(item) for item in batch]))
    known = sorted({str(item) for batch in batches for item in batch})
    wanted = [*known, *map(str, others)]
    assert [slot >= 0 for slot in columns.find_many(wanted)] == [item in known for item in wanted]
    assert sorted(columns.find_many(known)) == list(range(len(known)))
    assert [columns.place(item) for item in wanted] == [bisect_left(known, item) for item in wanted]
    assert [columns.find(item) is None for item in wanted] == [item not in known for item in wanted]
