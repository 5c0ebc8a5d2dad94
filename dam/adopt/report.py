"""What an adoption saw and did: counts, and whatever was odd, each with its key and a sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_KEPT: Final = 10_000
"""Oddities of which all is kept; the rest is counted."""


class Kind(StrEnum):
    """What can be odd. The values are stable: scripts read them."""

    ROW_WITHOUT_ORIGINAL = "row_without_original"
    ROW_WITHOUT_ID = "row_without_id"
    KEY_WITHOUT_ID = "key_without_id"
    SECOND_ORIGINAL = "second_original"
    PICTURE_UNREADABLE = "picture_unreadable"
    REFUSED = "refused"
    GONE = "gone"
    ORIGINAL_WITHOUT_ROW = "original_without_row"
    CAPTION_MISSING = "caption_missing"
    DUPLICATE = "duplicate"
    VECTOR_MISSING = "vector_missing"
    VECTOR_BROKEN = "vector_broken"
    VECTOR_DIMENSION = "vector_dimension"


NOT_TAKEN: Final = frozenset(
    {
        Kind.ROW_WITHOUT_ORIGINAL,
        Kind.ROW_WITHOUT_ID,
        Kind.KEY_WITHOUT_ID,
        Kind.SECOND_ORIGINAL,
        Kind.PICTURE_UNREADABLE,
        Kind.REFUSED,
        Kind.GONE,
    }
)
"""What could not be taken over, or not as a picture; the others are told, and dealt with."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """`problem` says what it is and what becomes of it, as sentences."""

    kind: Kind
    key: str
    problem: str


@dataclass(slots=True)
class Report:
    """Everything that was looked at.

    `known` have a row in the catalogue already, `ours` were uploaded to this pipeline. `taken` became assets
    (`with_vector` with their old vector, `queued` with a job for what they lack); `recaptioned` had a row
    without the caption that was there. In a dry run these are what would be. `kept_at`: where the original's
    table was copied to.
    """

    originals: int = 0
    rows: int = 0
    read_bytes: int = 0
    ours: int = 0
    known: int = 0
    taken: int = 0
    with_caption: int = 0
    with_vector: int = 0
    queued: int = 0
    failed: int = 0
    recaptioned: int = 0
    is_table_waiting: bool = False
    kept_at: str | None = None
    counts: Counter[Kind] = field(default_factory=Counter)
    oddities: list[Oddity] = field(default_factory=list)

    @property
    def has_work(self) -> bool:
        """Whether anything was, or would be, changed."""
        is_table_due = self.is_table_waiting and not self.is_misplaced
        return bool(self.taken or self.recaptioned or is_table_due)

    @property
    def is_misplaced(self) -> bool:
        """Whether there are rows and not one original: then the prefix is wrong, and nothing is done with."""
        return self.rows > 0 and self.originals == 0

    @property
    def is_whole(self) -> bool:
        """Whether everything there is could be taken over."""
        return not any(self.counts[kind] for kind in NOT_TAKEN)

    def add(self, kind: Kind, key: str, problem: str) -> None:
        """One more; of many the first are kept, all are counted."""
        self.counts[kind] += 1
        if len(self.oddities) < _KEPT:
            self.oddities.append(Oddity(kind, key, problem))
