"""What a search found, as the API shows it: the row, the scores, and which words of which field matched.

Called by `searching` with the rows of what it found. Pure. Results are plain values, shaped as `SearchResult`
has them: fifty models made and checked would take as long as to write them all as JSON. The tests hold every
answer against the description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dam.search.schema import texts_of
from dam.search.words import keys_of, split_words
from gallery_api.answers.asset import fill_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gallery_api.fusing import Found
    from gallery_api.rows import Values

_WORDS_SHOWN: Final = 20

Reason = dict[str, Any]
"""A field, and its words that were asked for; shaped as `FieldMatch`."""


def explain(rows: Mapping[str, Values], words: Sequence[str]) -> dict[str, list[Reason]]:
    """The words of each field of each row that were asked for, as they stand there."""
    wanted = _Wanted(words)
    return {asset_id: _find_reasons(row, wanted) for asset_id, row in rows.items()}


def show_results(
    found: Sequence[Found], rows: Mapping[str, Values], reasons: Mapping[str, list[Reason]]
) -> list[dict[str, Any]]:
    """In their order; what has no row any more is left out."""
    return [_show(item, rows[item.id], reasons.get(item.id, [])) for item in found if item.id in rows]


class _Wanted(dict[str, bool]):
    """Whether a word of a row was asked for. One for a search: the results share most of their words."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self._keys = frozenset(keys)
        self._firsts = frozenset(first for key in keys for first in (key[0], key[0].upper()))

    def __missing__(self, word: str) -> bool:
        # A stem begins as its word does: most words are told apart without being cut to theirs.
        may_be = word[0] in self._firsts or not (word.isascii() and word.isalpha())
        is_wanted = self[word] = may_be and not self._keys.isdisjoint(keys_of(word))
        return is_wanted


def _find_reasons(row: Values, wanted: _Wanted) -> list[Reason]:
    reasons = []
    for name, text in texts_of(row).items():
        words = [word for word in split_words(text) if wanted[word]]
        if words:
            reasons.append({"field": name, "words": list(dict.fromkeys(words))[:_WORDS_SHOWN]})
    return reasons


def _show(found: Found, row: Values, reasons: list[Reason]) -> dict[str, Any]:
    semantic = text = None
    if found.semantic_rank:
        semantic = {"rank": found.semantic_rank, "similarity": round(found.similarity, 4)}
    if found.text_rank:
        text = {"rank": found.text_rank, "score": round(found.text_score, 4), "fields": reasons}
    return {
        "asset": fill_values(row),
        "score": round(found.score, 6),
        "matched": {"semantic": semantic, "text": text},
    }
