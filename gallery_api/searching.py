"""Search: the two lists, one order, and the rows; `results` tells why each is there."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dam.search.words import query_words
from gallery_api import refusals
from gallery_api.candidates import share_of
from gallery_api.fusing import Found, fuse, only_semantic, only_text
from gallery_api.results import explain, show_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import UploadFile

    from dam.search.reader import Hit, IndexReader
    from gallery_api.answers.searching import Mode
    from gallery_api.bento import Embedded
    from gallery_api.candidates import Candidates, Scope
    from gallery_api.filters import PictureQuery, SearchQuery
    from gallery_api.following import Follower
    from gallery_api.query_vectors import QueryVector, QueryVectors
    from gallery_api.results import Reason
    from gallery_api.rows import Rows, Values

_FEWEST: Final = 60
_MORE: Final = 1.2
"""Candidates of each list, and how many times what is shown: fusing needs more, and each has its price."""
_LOOKED_AT: Final = 5
"""The best text hits tell how much of the query stands anywhere."""

Answer = dict[str, Any]
"""Plain values, shaped as `SearchAnswer` has them; see `results`."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One search, made ready: its words, its vector or the task that makes it, and what failed."""

    mode: Mode
    limit: int
    scope: Scope
    words: list[str]
    embedding: asyncio.Task[QueryVector] | None = None
    vector: Embedded | None = None
    without: str | None = None
    reason: str | None = None
    embedding_s: float = 0.0


class _Worded(NamedTuple):
    """What has the words: their rows, and which words of which field are the reason, by id."""

    hits: list[Hit]
    rows: dict[str, Values]
    reasons: dict[str, list[Reason]]


class Searcher:
    """One for the whole app."""

    def __init__(
        self,
        vectors: QueryVectors,
        index: IndexReader,
        follower: Follower,
        candidates: Candidates,
        rows: Rows,
    ) -> None:
        self._vectors = vectors
        self._index = index
        self._follower = follower
        self._candidates = candidates
        self._rows = rows

    async def search(self, query: SearchQuery) -> Answer:
        """By words, or like an asset. Raises `RefusalError`."""
        started = time.perf_counter()
        text = (query.q or "").strip()
        if bool(text) == bool(query.like):
            raise refusals.invalid("Give either `q`, the words to search for, or `like`, the id of an asset.")
        if query.status == "pending":
            raise refusals.invalid("Pending assets cannot be searched yet: nothing is known of them.")
        with self._candidates.scope(query) as scope:  # the Bento works while the catalogue is looked at
            asked = _Asked(query.mode, query.limit, scope, query_words(text))
            if query.like:
                vector = await self._vectors.of_asset(query.like, scope)
                asked = replace(asked, mode="semantic", vector=vector, without=query.like)
            elif query.mode != "text":
                asked = replace(asked, embedding=asyncio.create_task(self._vectors.of_text(text)))
            try:
                return await self._answer(asked, started)
            finally:
                if asked.embedding is not None:
                    asked.embedding.cancel()

    async def search_picture(self, image: UploadFile, query: PictureQuery) -> Answer:
        """By picture. Raises `RefusalError`."""
        started = time.perf_counter()
        made = await self._vectors.of_picture(image)
        with self._candidates.scope(query) as scope:
            asked = _Asked("semantic", query.limit, scope, [], vector=made.vector, embedding_s=made.seconds)
            return await self._answer(asked, started)

    def _check_model(self, asked: _Asked) -> _Asked:
        """Vectors of two models have nothing to say to each other."""
        state = self._index.state
        if asked.vector is None or state is None or state.model in {None, asked.vector.model}:
            return asked
        reason = (
            f"The index has vectors of {state.model}, and what was asked has one of {asked.vector.model}: "
            "results are from words alone until the assets are embedded anew."
        )
        return replace(asked, mode="text", vector=None, reason=reason)

    async def _answer(self, asked: _Asked, started: float) -> Answer:
        # The words are looked up while the Bento embeds the text, and the catalogue is looked at.
        (asked, semantic), worded = await asyncio.gather(self._look_near(asked), self._look_worded(asked))
        if asked.mode == "text" and asked.reason and not worded.hits:
            worded = await self._look_worded(asked)
        found = _order(asked, semantic, worded)
        others = [hit for hit in semantic if hit.id not in worded.rows]
        rows = worded.rows | await self._find_rows(others, found)
        reason = asked.reason or self._missing_index()
        return {
            "items": show_results(found, rows, worded.reasons),
            "mode": asked.mode,
            "degraded": reason is not None,
            "reason": reason,
            "took_ms": round((time.perf_counter() - started) * 1000, 2),
            "embed_ms": round(asked.embedding_s * 1000, 2),
            "total": await asked.scope.total(),
        }

    async def _look_near(self, asked: _Asked) -> tuple[_Asked, list[Hit]]:
        """The nearest; and what was asked, with its vector, or as a search by words where it has none."""
        if asked.embedding is not None:
            made = await asked.embedding
            mode = "text" if made.vector is None else asked.mode
            asked = replace(
                asked, mode=mode, vector=made.vector, reason=made.reason, embedding_s=made.seconds
            )
        asked = self._check_model(asked)
        return asked, await self._near(asked, _count(asked))

    async def _near(self, asked: _Asked, count: int) -> list[Hit]:
        if asked.vector is None or asked.mode == "text":
            return []
        spare = 1 if asked.without else 0
        hits = await self._candidates.near(
            asked.vector.vector, asked.vector.model, count + spare, asked.scope
        )
        return [hit for hit in hits if hit.id != asked.without][:count]

    async def _look_worded(self, asked: _Asked) -> _Worded:
        """Those that have the words, with all that is shown of it: the vectors take longer to compare."""
        if asked.mode == "semantic":
            return _Worded([], {}, {})
        count = _count(asked)
        hits = await self._candidates.worded(asked.words, count, asked.scope)
        rows = await self._find_rows(hits, hits)
        return _Worded(hits, rows, explain(rows, asked.words))

    async def _find_rows(self, hits: Sequence[Hit], wanted: Sequence[Hit | Found]) -> dict[str, Values]:
        """The rows of those hits that are wanted."""
        ids = {item.id for item in wanted}
        indexed = {hit.id: hit.row for hit in hits if hit.id in ids}
        return await self._rows.find(list(indexed), {key: row for key, row in indexed.items() if row})

    def _missing_index(self) -> str | None:
        if self._index.state is None and self._follower.fresh.forgotten:
            return "The search index is missing: only the newest assets are searched until it is rebuilt."
        return None


def _count(asked: _Asked) -> int:
    """Candidates of one list."""
    return max(_FEWEST, round(_MORE * asked.limit)) if asked.mode == "hybrid" else asked.limit


def _order(asked: _Asked, semantic: Sequence[Hit], worded: _Worded) -> list[Found]:
    """One list, in the asked mode."""
    if asked.mode == "semantic":
        return only_semantic(semantic)[: asked.limit]
    if asked.mode == "text":
        return only_text(worded.hits)[: asked.limit]
    best = [worded.rows[hit.id] for hit in worded.hits[:_LOOKED_AT] if hit.id in worded.rows]
    shares = [share_of(asked.words, row) for row in best]
    return fuse(semantic, worded.hits, max(shares, default=0.0))[: asked.limit]
