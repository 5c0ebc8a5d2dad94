"""The two lists of a search: from the index, with what it does not have yet laid over it.

Every list holds only assets that pass the filters now. Whatever the index says of an asset with a fresh row
is judged anew on that row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from dam.errors import IndexUnavailableError
from dam.search.reader import Hit
from dam.search.schema import texts_of
from dam.search.words import index_words
from gallery_api.listing.selecting import Selection
from gallery_api.predicates import predicate_of
from gallery_api.rows import values_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dam.search.reader import IndexReader
    from gallery_api.filters import Filters
    from gallery_api.following import Follower
    from gallery_api.fresh import FreshRow

log = structlog.get_logger()

_SPARE: Final = 10
"""Without a predicate, a tenth more is asked for than is wanted: few assets are not ready."""
_MOST_LOOKED_UP: Final = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What is searched among: the filters, and how many assets pass them (None: nobody asked)."""

    filters: Filters
    selection: Selection
    total: int | None

    @property
    def where(self) -> str | None:
        """For the index; without filters the few that are not ready are dropped afterwards."""
        return predicate_of(self.filters) if self.total is not None else None

    def count(self) -> int:
        """How many assets pass, asked or not."""
        return self.selection.count() if self.total is None else self.total


class Candidates:
    """One for the whole app."""

    def __init__(self, index: IndexReader, follower: Follower) -> None:
        self._index = index
        self._follower = follower

    def scope(self, filters: Filters) -> Scope:
        """The filters, weighed."""
        selection = Selection(self._follower.columns, filters)
        return Scope(filters, selection, selection.count() if filters.is_narrow() else None)

    async def near(self, vector: NDArray[np.float32], model: str, count: int, scope: Scope) -> list[Hit]:
        """The nearest, by cosine."""

        async def ask(limit: int, where: str | None) -> list[Hit]:
            passing = None if where is None else scope.count()
            return await self._index.nearest(vector, limit, where, passing=passing)

        hits = await self._ask(ask, count, scope)
        known = {hit.id: hit for hit in hits}
        for fresh, own in await self._fresh_vectors(scope, model):
            known[fresh.row.id] = Hit(fresh.row.id, float(own @ vector))
        return sorted(known.values(), key=lambda hit: (-hit.score, hit.id))[:count]

    async def worded(self, words: Sequence[str], count: int, scope: Scope) -> list[Hit]:
        """Those that have the words, by BM25."""
        if not words:
            return []

        async def ask(limit: int, where: str | None) -> list[Hit]:
            return await self._index.with_words(words, limit, where)

        hits = [hit for hit in await self._ask(ask, count, scope) if not self._follower.fresh.get(hit.id)]
        best = hits[0].score if hits else 1.0
        for fresh in self._fresh(scope):
            share = len(set(words) & words_of(values_of(fresh.row))) / len(words)
            if share:
                hits.append(Hit(fresh.row.id, best * share))
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:count]

    async def vector(self, asset_id: str) -> NDArray[np.float32] | None:
        """The vector of an asset, from its fresh row or the index."""
        fresh = self._follower.fresh.get(asset_id)
        if fresh and fresh.vector is not None:
            return fresh.vector
        if self._index.state is None:
            return None
        return (await self._index.vectors([asset_id])).get(asset_id)

    async def _ask(
        self, ask: Callable[[int, str | None], Awaitable[list[Hit]]], count: int, scope: Scope
    ) -> list[Hit]:
        """What the index has, and passes. Without a predicate it may bring what does not: then again with."""
        if self._index.state is None:
            return []
        asked = count if scope.where else count + count // _SPARE + 1
        try:
            hits = await ask(asked, scope.where)
            passing = scope.selection.passing([hit.id for hit in hits])
            if scope.where is None and len(passing) < count <= len(hits):
                hits = await ask(count, predicate_of(scope.filters))
                passing = scope.selection.passing([hit.id for hit in hits])
        except IndexUnavailableError as error:
            log.warning("index.unreadable", error=str(error))
            self._index.forget()
            return []
        return [hit for hit in hits if hit.id in passing]

    def _fresh(self, scope: Scope) -> list[FreshRow]:
        rows = {fresh.row.id: fresh for fresh in self._follower.fresh}
        if not rows:
            return []
        passing = scope.selection.passing(list(rows))
        return [fresh for asset_id, fresh in rows.items() if asset_id in passing]

    async def _fresh_vectors(self, scope: Scope, model: str) -> list[tuple[FreshRow, NDArray[np.float32]]]:
        """Fresh rows that pass with the vector of this model, their own or the one in the index."""
        rows = [fresh for fresh in self._fresh(scope) if fresh.row.embedding_by == model]
        missing = [fresh.row.id for fresh in rows if fresh.vector is None][:_MOST_LOOKED_UP]
        indexed = await self._index.vectors(missing) if missing and self._index.state else {}
        own = {fresh.row.id: fresh.vector for fresh in rows if fresh.vector is not None}
        vectors = indexed | own
        return [(fresh, vectors[fresh.row.id]) for fresh in rows if fresh.row.id in vectors]


def words_of(values: dict[str, object]) -> set[str]:
    """Every word that a row is found by."""
    return set(index_words(texts_of(values).values()).split(" "))
