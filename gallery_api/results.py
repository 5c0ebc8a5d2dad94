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


def show_results(
    found: Sequence[Found], rows: Mapping[str, Values], words: Sequence[str]
) -> list[dict[str, Any]]:
    """In their order; what has no row any more is left out."""
    wanted = _Wanted(words)
    return [_show(item, rows[item.id], wanted) for item in found if item.id in rows]


class _Wanted(dict[str, bool]):
    """Whether a word of a row was asked for. One for a search: the results share most of their words."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self._keys = frozenset(keys)

    def __missing__(self, word: str) -> bool:
        is_wanted = self[word] = not self._keys.isdisjoint(keys_of(word))
        return is_wanted


def _explain(row: Values, wanted: _Wanted) -> list[dict[str, Any]]:
    """The words of each field that were asked for, as they stand there."""
    matches = []
    for name, text in texts_of(row).items():
        words = [word for word in split_words(text) if wanted[word]]
        if words:
            matches.append({"field": name, "words": list(dict.fromkeys(words))[:_WORDS_SHOWN]})
    return matches


def _show(found: Found, row: Values, wanted: _Wanted) -> dict[str, Any]:
    semantic = {"rank": found.semantic_rank, "similarity": round(found.similarity, 4)}
    text = {"rank": found.text_rank, "score": round(found.text_score, 4)}
    matched = {
        "semantic": semantic if found.semantic_rank else None,
        "text": text | {"fields": _explain(row, wanted)} if found.text_rank else None,
    }
    return {"asset": fill_values(row), "score": round(found.score, 6), "matched": matched}
