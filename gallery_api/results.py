"""What a search found, as the API shows it: the row, the scores, and which words of which field matched.

Called by `searching` with the rows of what it found. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from dam.search.schema import texts_of
from dam.search.words import keys_of, split_words
from gallery_api.answers.asset import fill_values
from gallery_api.answers.searching import SearchResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gallery_api.fusing import Found
    from gallery_api.rows import Values

_WORDS_SHOWN: Final = 20
_RESULTS: Final = TypeAdapter(list[SearchResult])
"""Makes all of them at once: a third of the time of one model after the other."""


def show_results(
    found: Sequence[Found], rows: Mapping[str, Values], words: Sequence[str]
) -> list[SearchResult]:
    """In their order; what has no row any more is left out."""
    explanation = _Explanation(words)
    shown = [_show(item, rows[item.id], explanation) for item in found if item.id in rows]
    return _RESULTS.validate_python(shown)


class _Explanation:
    """Which words of a row were asked for. One for a search: the results share most of their words."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self._wanted = frozenset(wanted)
        self._judged: dict[str, bool] = {}

    def of(self, row: Values) -> list[dict[str, Any]]:
        """The words of each field, as they stand there."""
        matches = []
        for name, text in texts_of(row).items():
            words = [word for word in split_words(text) if self._is_wanted(word)]
            if words:
                matches.append({"field": name, "words": list(dict.fromkeys(words))[:_WORDS_SHOWN]})
        return matches

    def _is_wanted(self, word: str) -> bool:
        judged = self._judged.get(word)
        if judged is None:
            judged = self._judged[word] = not self._wanted.isdisjoint(keys_of(word))
        return judged


def _show(found: Found, row: Values, explanation: _Explanation) -> dict[str, Any]:
    semantic = {"rank": found.semantic_rank, "similarity": round(found.similarity, 4)}
    text = {"rank": found.text_rank, "score": round(found.text_score, 4)}
    matched = {
        "semantic": semantic if found.semantic_rank else None,
        "text": text | {"fields": explanation.of(row)} if found.text_rank else None,
    }
    return {"asset": fill_values(row), "score": round(found.score, 6), "matched": matched}
