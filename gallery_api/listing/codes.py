"""Texts that repeat (types, models, error codes) as small numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

NONE = 0
"""The code of a null."""


class Codes:
    """One column's texts; a text keeps its code for the life of the process."""

    def __init__(self) -> None:
        self._codes: dict[str | None, int] = {None: NONE}
        self._texts: list[str | None] = [None]

    def encode(self, column: pa.Array) -> NDArray[np.int64]:
        """A column's codes, new texts included."""
        encoded = column.dictionary_encode(null_encoding="encode")
        known = np.array([self._add(text) for text in encoded.dictionary.to_pylist()] or [NONE])
        return known[encoded.indices.to_numpy(zero_copy_only=False)] if len(column) else known[:0]

    def find(self, text: str) -> int | None:
        """The code of a text that is there, or None."""
        return self._codes.get(text)

    def text(self, code: int) -> str | None:
        """The text of a code."""
        return self._texts[code]

    def count(self, codes: NDArray[np.integer]) -> dict[str, int]:
        """How often each text is among these codes, the most frequent first; nulls are left out."""
        counts = np.bincount(codes, minlength=1)
        order = np.argsort(-counts, kind="stable")
        return {str(self._texts[at]): int(counts[at]) for at in order if at != NONE and counts[at]}

    def _add(self, text: str | None) -> int:
        if text not in self._codes:
            self._codes[text] = len(self._texts)
            self._texts.append(text)
        return self._codes[text]
