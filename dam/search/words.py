"""Texts as the words that are found: one rule for the index, for queries, and for telling what matched.

A word is a run of letters and digits, lower-case, without accents, cut to its English stem. `IMG2041` is
found as itself, as `img` and as `2041`; Chinese, Japanese and Korean, which are written without blanks, by
every two neighbouring characters. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import Stemmer

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 40
_MOST: Final = 20_000
"""Words of one asset: about a book's chapter of extracted text."""
_WORD: Final = re.compile(r"[^\W_]+")
_CJK: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN: Final = re.compile(rf"[{_CJK}]+|[^{_CJK}]+")
_PART: Final = re.compile(r"\d+|\D+")
_STOP: Final = frozenset(
    [
        *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "in", "into", "is", "it"),
        *("its", "of", "on", "or", "that", "the", "their", "then", "there", "these", "they", "this", "to"),
        *("was", "were", "will", "with"),
    ]
)
_stemmer = Stemmer.Stemmer("english")


def index_words(texts: Iterable[str]) -> str:
    """Every word of these texts, blank between them, as the index keeps it; a word counts where it stands."""
    kept: list[str] = []
    for text in texts:
        for word in split_words(text):
            kept += keys_of(word)
            if len(kept) >= _MOST:
                return " ".join(kept[:_MOST])
    return " ".join(kept)


def query_words(text: str) -> list[str]:
    """What to look for, each once. Words that stand everywhere are left out."""
    return list(dict.fromkeys(key for word in split_words(text) for key in wanted_of(word)))


def split_words(text: str) -> list[str]:
    """The words as they stand in the text."""
    words: list[str] = _WORD.findall(text)
    if text.isascii():  # most are, and none of them changes its script within a word
        return words
    return [run for word in words for run in _RUN.findall(word)]


@lru_cache(maxsize=50_000)
def keys_of(word: str) -> tuple[str, ...]:
    """What one word of a text is found by; nothing for a word that stands everywhere."""
    if _is_cjk(word):
        return (*word, *_pairs(word))
    whole = _fold(word)
    parts = _PART.findall(whole)
    found = [whole, *parts] if len(parts) > 1 else [whole]
    return tuple(dict.fromkeys(key for part in found if (key := _stem(part))))


def wanted_of(word: str) -> tuple[str, ...]:
    """What one word of a query looks for: the word as a whole."""
    if _is_cjk(word):
        return _pairs(word) or (word,)
    key = _stem(_fold(word))
    return (key,) if key else ()


def _stem(word: str) -> str:
    return "" if word in _STOP else str(_stemmer.stemWord(word))[:_LONGEST]


def _fold(word: str) -> str:
    """Lower case, without accents."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _pairs(word: str) -> tuple[str, ...]:
    return tuple(word[at : at + 2] for at in range(len(word) - 1))


def _is_cjk(word: str) -> bool:
    return bool(re.match(rf"[{_CJK}]", word))
