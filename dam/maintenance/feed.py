"""What the snapshot takes from the table's change feed: rows without vectors, and how many there are.

Blocking: called in the thread of the handle. It must never write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.catalogue.feed import read_changes
from dam.catalogue.row import SNAPSHOT_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from dam.catalogue.storage import TableHandle


def read_added(handle: TableHandle, since: int) -> Iterator[pa.RecordBatch]:
    """Rows that versions after `since` added, up to the one that `handle` sees. Raises as `read_changes`."""
    for batch in read_changes(handle, since, handle.delta.version(), SNAPSHOT_SCHEMA.names):
        yield batch.select(SNAPSHOT_SCHEMA.names)


def count_added(handle: TableHandle, since: int) -> int:
    """How many rows the versions after `since` added, as their commits say."""
    return sum(
        int(commit.get("operationMetrics", {}).get("num_added_rows", 0))
        for commit in handle.list_commits(since)
        if commit.get("operation") == "WRITE"
    )
