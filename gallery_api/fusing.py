"""One order out of two: what is near in meaning, and what has the words. Pure.

Scores are fused, not ranks: a cosine says how much nearer the first is than the tenth, and BM25 how much
rarer one word is than another; reciprocal ranks forget both (docs/adr/0008-search.md has the measurement).
Each side is scaled to 0 … 1. The words' side is worth as much as the best hit has of what was asked: where
only one word of five stands anywhere, meaning decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.search.reader import Hit

WORDS_WEIGHT: Final = 0.65
"""More than half: meaning is spread over the few nearest, and whatever is not among them has none."""
_FLOOR: Final = 0.0


class Found(NamedTuple):
    """One asset with its places in the two lists; None where it is not in one."""

    id: str
    score: float
    semantic_rank: int | None = None
    similarity: float = 0.0
    text_rank: int | None = None
    text_score: float = 0.0


def fuse(semantic: Sequence[Hit], text: Sequence[Hit], coverage: float) -> list[Found]:
    """Both lists as one, the best first.

    `coverage` is the share of the query's words that the best text hit has.
    """
    near = {hit.id: (rank, hit.score) for rank, hit in enumerate(semantic, 1)}
    worded = {hit.id: (rank, hit.score) for rank, hit in enumerate(text, 1)}
    top, low = (semantic[0].score, semantic[-1].score) if semantic else (0.0, 0.0)
    best = text[0].score if text else 0.0
    found = []
    for asset_id in near | worded:
        semantic_rank, similarity = near.get(asset_id, (None, _FLOOR))
        text_rank, text_score = worded.get(asset_id, (None, _FLOOR))
        meaning = (similarity - low) / (top - low) if semantic_rank and top > low else 0.0
        words = coverage * text_score / best if text_rank and best > 0 else 0.0
        score = (1 - WORDS_WEIGHT) * meaning + WORDS_WEIGHT * words
        found.append(Found(asset_id, score, semantic_rank, similarity, text_rank, text_score))
    return sorted(found, key=lambda item: (-item.score, item.semantic_rank or len(near) + 1, item.id))


def only_semantic(hits: Sequence[Hit]) -> list[Found]:
    """One list alone."""
    return [Found(hit.id, hit.score, rank, hit.score) for rank, hit in enumerate(hits, 1)]


def only_text(hits: Sequence[Hit]) -> list[Found]:
    """One list alone."""
    return [
        Found(hit.id, hit.score, text_rank=rank, text_score=hit.score) for rank, hit in enumerate(hits, 1)
    ]
