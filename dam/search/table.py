"""The index's Lance table from the side of its keeper: made, merged into, indexed, tended.

Every failure of the library is `IndexUnavailableError`. Merging the same rows again changes nothing: a row
replaces only an older revision.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, Bitmap, BTree, IvfRq, LabelList

from dam.errors import IndexUnavailableError
from dam.search.reader import match_ids
from dam.search.schema import PART_ROWS, VECTOR, WORDS, index_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

APPROXIMATE_FROM: Final = 5_000
"""Vectors; comparing fewer one by one takes a few milliseconds, and less memory than it saves."""

_WORDS_INDEX: Final = FTS(
    base_tokenizer="whitespace", lower_case=False, stem=False, remove_stop_words=False, ascii_folding=False
)
"""The words are made by `dam.search.words`; Lance only parts them."""
_SCALAR_INDEXES: Final[dict[str, BTree | Bitmap | LabelList]] = {
    "id": BTree(),
    "status": Bitmap(),
    "mime_type": Bitmap(),
    "received_at": BTree(),
    "tags": LabelList(),
}
_VECTOR_INDEX: Final = IvfRq(distance_type="cosine", num_bits=2, target_partition_size=PART_ROWS)
"""Two bits a dimension order well enough that only what is asked for is compared exactly: with one bit, ten
times as many vectors had to be read, one by one, from all over the table (docs/adr/0008-search.md)."""
_INDEX_CACHE_BYTES: Final = 16 << 20
_METADATA_CACHE_BYTES: Final = 4 << 20
"""By default six and one gigabytes: the keeper reads all of an index when it is tended, and seldom again;
what is kept is mostly of versions that are no more."""
_KEEP_VERSIONS: Final = timedelta(minutes=10)
"""Readers see a new version within seconds."""


async def connect(location: tuple[str, dict[str, str]]) -> lancedb.AsyncConnection:
    """The folder of tables; see `dam.store.delta.lance_location`."""
    uri, options = location
    with translated():
        session = lancedb.Session(_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES)
        return await lancedb.connect_async(uri, storage_options=options, session=session)


# lancedb calls a batch whose rows have no vectors bad; `on_bad_vectors="null"` leaves them without.


class IndexTable:
    """One table, open for writing. Make it with `create` or `open`."""

    def __init__(self, table: lancedb.AsyncTable, dim: int) -> None:
        self._table = table
        self.dim = dim

    @classmethod
    async def create(cls, connection: lancedb.AsyncConnection, name: str, dim: int) -> Self:
        """A new, empty table."""
        with translated():
            return cls(await connection.create_table(name, schema=index_schema(dim)), dim)

    @classmethod
    async def open(cls, connection: lancedb.AsyncConnection, name: str, dim: int) -> Self:
        """A table that is there."""
        with translated():
            table = cls(await connection.open_table(name), dim)
            await table.count()
            return table

    async def fill(self, rows: Iterator[pa.RecordBatch]) -> None:
        """Add rows whose ids are not there; a thread of the library's draws them."""
        reader = pa.RecordBatchReader.from_batches(index_schema(self.dim), rows)
        with translated():
            await self._table.add(reader, on_bad_vectors="null", write_parallelism=1)

    async def merge(self, rows: pa.Table) -> None:
        """Add new ids, and replace older revisions of known ones."""
        merging = (
            self._table.merge_insert("id")
            .when_matched_update_all(where="source.revision > target.revision")
            .when_not_matched_insert_all()
        )
        with translated():
            await merging.execute(rows, on_bad_vectors="null")

    async def remove(self, ids: Sequence[str]) -> None:
        """Drop the rows of purged assets."""
        with translated():
            await self._table.delete(match_ids(ids))

    async def vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of those of `ids` that have one."""
        with translated():
            found = await self._table.query().where(match_ids(ids)).select(["id", VECTOR]).to_arrow()
        pairs = zip(found["id"].to_pylist(), found[VECTOR].to_pylist(), strict=True)
        return {key: np.array(vector, np.float32) for key, vector in pairs if vector is not None}

    async def probe(self) -> None:
        """Raise unless rows can be read now, by somebody who has nothing of the table in memory."""
        with translated():
            await self._table.checkout_latest()  # type: ignore[no-untyped-call] # the library's
            await self._table.query().limit(1).to_arrow()

    async def count(self, where: str | None = None) -> int:
        """How many rows there are."""
        with translated():
            return int(await self._table.count_rows(where))

    async def index(self) -> bool:
        """Make the indexes that are missing; whether the one of the vectors is there, or is needed."""
        with translated():
            present = {column for config in await self._table.list_indices() for column in config.columns}
            for column, config in (*_SCALAR_INDEXES.items(), (WORDS, _WORDS_INDEX)):
                if column not in present:
                    await self._table.create_index(column, config=config)
            if VECTOR in present:
                return True
            if await self._table.count_rows(f"{VECTOR} IS NOT NULL") < APPROXIMATE_FROM:
                return False
            await self._table.create_index(VECTOR, config=_VECTOR_INDEX)
            return True

    async def tend(self) -> None:
        """Merge small files, take new rows into the indexes, drop versions that nobody reads."""
        with translated():
            await self._table.optimize(cleanup_older_than=_KEEP_VERSIONS)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Whatever the library raises, as our error."""
    try:
        yield
    except IndexUnavailableError:
        raise
    except Exception as error:
        raise IndexUnavailableError(f"The search index cannot be used for now: {error}") from error


async def list_tables(connection: lancedb.AsyncConnection) -> list[str]:
    """Names of the tables that are there."""
    with translated():
        return list((await connection.list_tables(limit=10_000)).tables)


async def drop(connection: lancedb.AsyncConnection, name: str) -> None:
    """Remove a table with everything in it."""
    with translated():
        await connection.drop_table(name, ignore_missing=True)
