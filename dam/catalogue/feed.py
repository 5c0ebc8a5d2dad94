"""The change feed: rows that versions of the table added, each with its version.

Blocking: callers run it in threads, one handle for one thread at a time. The search index and the gallery
follow the table by it. It must never write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from dam.catalogue.row import SCHEMA
from dam.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dam.catalogue.storage import TableHandle

VERSION: Final = "_commit_version"
_CHANGE: Final = "_change_type"


class FeedUnreadableError(CatalogueError):
    """The feed does not reach back so far: its files were vacuumed, or its log is gone."""


def read_changes(
    handle: TableHandle, since: int, until: int, columns: Sequence[str] = SCHEMA.names
) -> Iterator[pa.RecordBatch]:
    """Rows added by the versions after `since` up to and with `until`, in no order.

    The columns are those of the catalogue that were asked for, then `VERSION`. Compaction adds no rows, and
    what a purge removes is left out.

    Raises:
        FeedUnreadableError: the table answers, its feed does not.
        CatalogueUnavailableError: the table cannot be reached.
    """
    if since >= until:
        return
    schema = pa.schema([*(SCHEMA.field(name) for name in columns), pa.field(VERSION, pa.int64())])
    wanted = [*columns, VERSION, _CHANGE]
    try:
        reader = pa.RecordBatchReader.from_stream(
            handle.delta.load_cdf(starting_version=since + 1, ending_version=until, columns=wanted)
        )
        for batch in reader:
            # Cast first: the engine answers with string views, which cannot be filtered inside a list.
            arrays = [batch.column(field.name).cast(field.type) for field in schema]
            is_added = pc.equal(batch.column(_CHANGE).cast(pa.string()), "insert")
            yield pa.RecordBatch.from_arrays(arrays, schema=schema).filter(is_added)
    except Exception as error:
        handle.refresh()  # raises where it is the bucket that does not answer
        raise FeedUnreadableError(f"The change feed since version {since} cannot be read: {error}") from error
