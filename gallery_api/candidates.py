"""The two lists of a search: from the index, with what it does not have yet laid over it.

Every list holds only assets that pass the filters now. Whatever the index says of an asset with a fresh row
is judged anew on that row.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import structlog

from dam.errors import IndexUnavailableError
from dam.search.reader import Hit
from dam.search.schema import read_row, texts_of
from dam.search.words import index_words
from gallery_api.listing.selecting import Selection
from gallery_api.predicates import predicate_of
from gallery_api.rows import values_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dam.search.reader import IndexReader
    from gallery_api.filters import Filters
    from gallery_api.following import Follower
    from gallery_api.fresh import FreshRow
    from gallery_api.rows import Values

log = structlog.get_logger()

_SPARE: Final = 10
"""Without a predicate, a tenth more is asked for than is wanted: few assets are not ready."""
_MOST_LOOKED_UP: Final = 1_000


class Scope:
    """What is searched among: the filters, and which assets pass them, once the catalogue was looked at.

    The index can be asked meanwhile: only what it says has to wait for that.
    """

    def __init__(self, filters: Filters, follower: Follower, looking: asyncio.Task[None]) -> None:
        self._filters = filters
        self._follower = follower
        self._looking = looking
        self._selection: Selection | None = None
        self._count: int | None = None

    async def selection(self) -> Selection:
        """Those that pass. Raises CatalogueUnavailableError."""
        if self._selection is None:
            await asyncio.shield(self._looking)  # several wait for it
            self._selection = self._selection or Selection(self._follower.columns, self._filters)
        return self._selection

    async def total(self) -> int | None:
        """How many pass; None without filters, where nobody asks."""
        return await self.count() if self._filters.is_narrow() else None

    async def count(self) -> int:
        """How many pass, asked or not."""
        if self._count is None:
            self._count = (await self.selection()).count()
        return self._count

    @property
    def where(self) -> str | None:
        """For the index; without filters the few that are not ready are dropped afterwards."""
        return self.all_filters if self._filters.is_narrow() else None

    @property
    def all_filters(self) -> str | None:
        """For the index, without which some of what it finds does not pass."""
        return predicate_of(self._filters)


class Candidates:
    """One for the whole app."""

    def __init__(self, index: IndexReader, follower: Follower) -> None:
        self._index = index
        self._follower = follower

    @contextmanager
    def scope(self, filters: Filters) -> Iterator[Scope]:
        """The scope of one search: what the index has at its start and what it lacks do not change apart."""
        looking = asyncio.create_task(self._follower.catch_up(), name="look at the catalogue")
        looking.add_done_callback(lambda task: task.cancelled() or task.exception())  # told to who waits
        try:
            with self._follower.fresh.held():
                yield Scope(filters, self._follower, looking)
        finally:
            looking.cancel()

    async def near(self, vector: NDArray[np.float32], model: str, count: int, scope: Scope) -> list[Hit]:
        """The nearest, by cosine."""

        async def ask(limit: int, where: str | None) -> list[Hit]:
            passing = await scope.count() if where else None
            return await self._index.nearest(vector, limit, where, passing=passing)

        hits = await self._ask(ask, count, scope)
        known = {hit.id: hit for hit in hits}
        for fresh, own in await self._fresh_vectors(await scope.selection(), model):
            known[fresh.row.id] = Hit(fresh.row.id, float(own @ vector))
        return sorted(known.values(), key=lambda hit: (-hit.score, hit.id))[:count]

    async def worded(self, words: Sequence[str], count: int, scope: Scope) -> list[Hit]:
        """Those that have the words, by BM25."""
        if not words:
            return []

        async def ask(limit: int, where: str | None) -> list[Hit]:
            return await self._index.with_words(words, limit, where)

        hits = [hit for hit in await self._ask(ask, count, scope) if not self._follower.fresh.get(hit.id)]
        whole = _whole_score(hits, words)
        for fresh in self._fresh(await scope.selection()):
            share = share_of(words, values_of(fresh.row))
            if share:
                hits.append(Hit(fresh.row.id, whole * share))
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:count]

    async def vector(self, asset_id: str, scope: Scope) -> NDArray[np.float32] | None:
        """The vector of an asset, from its fresh row or the index."""
        indexed, _ = await asyncio.gather(self._indexed_vectors([asset_id]), scope.selection())
        fresh = self._follower.fresh.get(asset_id)
        return fresh.vector if fresh and fresh.vector is not None else indexed.get(asset_id)

    async def _ask(
        self, ask: Callable[[int, str | None], Awaitable[list[Hit]]], count: int, scope: Scope
    ) -> list[Hit]:
        """What the index has, and passes. Without a predicate it may bring what does not: then again with."""
        if self._index.state is None:
            return []
        try:
            hits = await ask(count if scope.where else count + count // _SPARE + 1, scope.where)
            selection = await scope.selection()
            passing = selection.passing([hit.id for hit in hits])
            if scope.where is None and len(passing) < count <= len(hits):
                hits = await ask(count, scope.all_filters)
                passing = selection.passing([hit.id for hit in hits])
        except IndexUnavailableError as error:
            log.warning("index.unreadable", error=str(error))
            self._index.forget()
            return []
        return [hit for hit in hits if hit.id in passing]

    def _fresh(self, selection: Selection) -> list[FreshRow]:
        rows = {fresh.row.id: fresh for fresh in self._follower.fresh}
        if not rows:
            return []
        passing = selection.passing(list(rows))
        return [fresh for asset_id, fresh in rows.items() if asset_id in passing]

    async def _fresh_vectors(
        self, selection: Selection, model: str
    ) -> list[tuple[FreshRow, NDArray[np.float32]]]:
        """Fresh rows that pass with the vector of this model, their own or the one in the index."""
        rows = [fresh for fresh in self._fresh(selection) if fresh.row.embedding_by == model]
        missing = [fresh.row.id for fresh in rows if fresh.vector is None][:_MOST_LOOKED_UP]
        own = {fresh.row.id: fresh.vector for fresh in rows if fresh.vector is not None}
        vectors = await self._indexed_vectors(missing) | own
        return [(fresh, vectors[fresh.row.id]) for fresh in rows if fresh.row.id in vectors]

    async def _indexed_vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        return await self._index.vectors(ids) if ids and self._index.state else {}


def share_of(words: Sequence[str], values: Values) -> float:
    """How much of what was asked a row is found by, 0 … 1."""
    return len(set(words) & set(index_words(texts_of(values).values()).split(" "))) / len(words)


def _whole_score(hits: Sequence[Hit], words: Sequence[str]) -> float:
    """The score of a row that has every word, judged by the best that the index has."""
    if not hits or hits[0].row is None:
        return 1.0
    return hits[0].score / max(share_of(words, read_row(hits[0].row)), 1 / len(words))
