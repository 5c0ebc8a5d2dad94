"""The index as the gallery sees it: the published table, opened, followed and asked.

Memory is bounded by the session's caches. Every failure of the library is `IndexUnavailableError`; what is
asked here answers from the table alone and knows nothing of newer rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import lancedb
import numpy as np
from lancedb.query import MatchQuery

from dam.errors import IndexUnavailableError
from dam.memory import trim
from dam.search.schema import PART_ROWS, ROW, VECTOR, WORDS, id_of, read_row
from dam.search.state import IndexState, read_state
from dam.store.delta import lance_location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dam.settings import DamSettings
    from dam.store.port import ObjectStore

_INDEX_CACHE_BYTES: Final = 64 << 20
_METADATA_CACHE_BYTES: Final = 8 << 20
_OPEN_ANEW_AFTER: Final = 64
"""Versions. The caches hold what belongs to versions that are no more until they are full; a table that is
opened anew begins with empty ones."""
_AT_ONCE: Final = 16
"""Queries. Each holds several connections to the bucket with their buffers; more of them find no sooner."""
_PROBES: Final = 5
"""Parts of the vectors' index that are read; each costs a millisecond or two where it is not in memory."""
_COMPARED: Final = 110
"""Vectors that are compared exactly, at least: those that the index holds most likely."""
_PLENTY: Final = 4
_ALL: Final = 1 << 20
_FEW: Final = 2_000
"""So many assets or fewer are compared one by one: an approximate index would miss some of them."""


class Hit(NamedTuple):
    """One id that was found, with the score of what found it: a cosine, or BM25.

    `row` is the asset's row as the index has it, still as text (`schema.read_row`): to bring it along costs
    less than to seek it afterwards.
    """

    id: str
    score: float
    row: str | None = None


class IndexReader:
    """Opened at its first `refresh`. One per process; safe to use from many tasks at once."""

    def __init__(self, settings: DamSettings) -> None:
        self._location = lance_location(settings)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._table: lancedb.AsyncTable | None = None
        self._etag: str | None = None
        self._versions = 0
        self.state: IndexState | None = None

    async def refresh(self, store: ObjectStore) -> None:
        """See what is published now. Another table is opened before the old one is let go.

        Raises:
            StoreUnavailableError: the bucket does not answer.
            IndexUnavailableError: what is published cannot be opened.
        """
        state, etag = await read_state(store)
        if state is None:
            self._table, self.state, self._etag = None, None, etag
        elif etag != self._etag:
            with _translated():
                await self._follow(state)
            self.state, self._etag = state, etag
            trim()

    async def _follow(self, state: IndexState) -> None:
        """See the newest version of the published table."""
        is_same = self.state is not None and state.table == self.state.table
        if self._table is not None and is_same and self._versions < _OPEN_ANEW_AFTER:
            await self._table.checkout_latest()  # type: ignore[no-untyped-call] # the library's
            self._versions += 1
        else:
            self._table = await self._open(state.table)
            self._versions = 0

    def forget(self) -> None:
        """The table that is open turned out unreadable: open what is published anew at the next refresh."""
        self._table, self.state, self._etag = None, None, None

    async def nearest(
        self,
        vector: NDArray[np.float32],
        limit: int,
        where: str | None = None,
        *,
        passing: int | None = None,
    ) -> list[Hit]:
        """The assets whose vectors are nearest, with the cosine; `where` is applied before.

        `passing` says how many assets pass it, where that is known. Few are compared one by one; of many,
        so many parts of the index are read that they have a few times as many as are wanted.
        """
        _, state = self._opened()
        if vector.shape != (state.dim,):
            return []
        parts = _PROBES if passing is None else max(_PROBES, _count_parts(limit, passing, state.rows))
        hits = await self._near(vector, limit, where, 0 if passing is not None and passing <= _FEW else parts)
        if passing is not None and len(hits) < min(limit, passing):  # they lie elsewhere
            hits = await self._near(vector, limit, where, _ALL)
        return hits

    async def _near(
        self, vector: NDArray[np.float32], limit: int, where: str | None, parts: int
    ) -> list[Hit]:
        """From the nearest `parts` of the index; 0: without it, one by one."""
        table, state = self._opened()
        query = table.query().nearest_to(vector).distance_type("cosine")
        if not parts:
            query = query.bypass_vector_index()
        elif state.approximate:
            query = query.minimum_nprobes(1).maximum_nprobes(parts).minimum_nprobes(parts)
            query = query.refine_factor(math.ceil(_COMPARED / limit))
        found = await self._find(query, "_distance", limit, where)
        return [Hit(hit.id, 1 - hit.score, hit.row) for hit in found]

    async def with_words(self, words: Sequence[str], limit: int, where: str | None = None) -> list[Hit]:
        """The assets that have these words, the best by BM25 first."""
        table, _ = self._opened()
        text = MatchQuery(" ".join(words), column=WORDS)  # type: ignore[call-arg] # pydantic dataclass
        return await self._find(table.query().nearest_to_text(text), "_score", limit, where)

    async def rows(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Rows by id, as the index has them: check their revision."""
        found = await self._take(ids, [ROW])
        return {id_of(text): read_row(text) for text in found[ROW].to_pylist()}

    async def vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors of those of `ids` that have one."""
        found = await self._take(ids, ["id", VECTOR])
        pairs = zip(found["id"].to_pylist(), found[VECTOR].to_pylist(), strict=True)
        return {key: np.array(vector, np.float32) for key, vector in pairs if vector is not None}

    def close(self) -> None:
        """Let the table go."""
        self.forget()

    async def _take(self, ids: Sequence[str], columns: list[str]) -> Any:
        table, _ = self._opened()
        async with self._turns:
            with _translated():
                return await table.query().where(match_ids(ids)).select(columns).to_arrow()

    async def _find(self, query: Any, score: str, limit: int, where: str | None) -> list[Hit]:
        """What a query of the library finds. The rows have the ids in them: a second column costs as much."""
        query = query.select([score, ROW]).limit(limit)
        async with self._turns:
            with _translated():
                found = await (query.where(where) if where else query).to_arrow()
        pairs = zip(found[score].to_pylist(), found[ROW].to_pylist(), strict=True)
        return [Hit(id_of(row), value, row) for value, row in pairs]

    async def _open(self, name: str) -> lancedb.AsyncTable:
        """A table with caches of its own."""
        uri, options = self._location
        session = lancedb.Session(_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES)
        connection = await lancedb.connect_async(uri, storage_options=options, session=session)
        return await connection.open_table(name)

    def _opened(self) -> tuple[lancedb.AsyncTable, IndexState]:
        if self._table is None or self.state is None:
            raise IndexUnavailableError("There is no search index yet; `dam maintain` builds it.")
        return self._table, self.state


def match_ids(ids: Sequence[str]) -> str:
    """A predicate for these ids, which must be known to be ids."""
    return f"id IN ({', '.join(map(repr, ids))})" if ids else "false"


def _count_parts(limit: int, passing: int, rows: int) -> int:
    """Parts of the vectors' index in which several times `limit` of the passing assets may be expected."""
    return math.ceil(_PLENTY * limit * rows / (PART_ROWS * max(passing, 1)))


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise IndexUnavailableError(f"The search index cannot be read for now: {error}") from error
