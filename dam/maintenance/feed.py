"""What maintenance reads of the table: its identity, the rows added since a version, or all of them.

Blocking: called by the snapshot's builder in its thread. It must never write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.catalogue.storage import TableHandle

_CHANGE: Final = "_change_type"


class FeedUnreadableError(CatalogueError):
    """The change feed does not reach back so far: its files were vacuumed, or its log is gone."""


def read_added(handle: TableHandle, since: int) -> Iterator[pa.RecordBatch]:
    """Rows that versions after `since` added, up to the version that `handle` sees, in no order.

    Raises:
        FeedUnreadableError: the table answers, its feed does not.
        CatalogueUnavailableError: the table cannot be reached.
    """
    version = handle.delta.version()
    if since >= version:
        return
    columns = [*SNAPSHOT_SCHEMA.names, _CHANGE]
    try:
        reader = pa.RecordBatchReader.from_stream(
            handle.delta.load_cdf(starting_version=since + 1, ending_version=version, columns=columns)
        )
        for batch in reader:
            is_added = pc.equal(batch.column(_CHANGE).cast(pa.string()), "insert")
            yield _cast(batch).filter(is_added)
    except Exception as error:
        handle.refresh()  # raises where it is the bucket that does not answer
        raise FeedUnreadableError(f"The change feed since version {since} cannot be read: {error}") from error


def read_all(handle: TableHandle) -> Iterator[pa.RecordBatch]:
    """Every revision of every asset, in no order. Raises `CatalogueUnavailableError`."""
    yield from handle.scan(SNAPSHOT_SCHEMA.names)


def count_added(handle: TableHandle, since: int) -> int:
    """How many rows the versions after `since` added, as their commits say."""
    return sum(
        int(commit.get("operationMetrics", {}).get("num_added_rows", 0))
        for commit in handle.list_commits(since)
        if commit.get("operation") == "WRITE"
    )


def _cast(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The engine answers with string views; the snapshot has plain strings."""
    columns = [batch.column(field.name).cast(field.type) for field in SNAPSHOT_SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=SNAPSHOT_SCHEMA)
