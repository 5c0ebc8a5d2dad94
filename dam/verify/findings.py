"""What a verification found: each finding with its key, what is wrong, and what can be done about it.

Everything in `dam.verify` makes these; the command line prints them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_KEPT: Final = 10_000
"""Findings of which all is kept; the rest is counted."""


class Kind(StrEnum):
    """What can be wrong. The values are stable: scripts read them."""

    TABLE_FILE = "table_file"
    TABLE_LOG = "table_log"
    TABLE_UNREADABLE = "table_unreadable"
    ROW_REVISIONS = "row_revisions"
    ROW_MISSING = "row_missing"
    COPY = "unclaimed_copy"
    ORIGINAL_MISSING = "original_missing"
    ORIGINAL_DAMAGED = "original_damaged"
    ORIGINAL_UNEXPECTED = "original_unexpected"
    THUMBNAIL_MISSING = "thumbnail_missing"
    THUMBNAIL_ORPHAN = "thumbnail_orphan"
    VECTOR_MISSING = "vector_missing"
    VECTOR_WRONG = "vector_wrong"
    VECTOR_ORPHAN = "vector_orphan"
    CLAIM_MISSING = "claim_missing"
    CLAIM_WRONG = "claim_wrong"
    CLAIM_ORPHAN = "claim_orphan"
    SNAPSHOT = "snapshot"
    INDEX = "index"
    FOREIGN = "foreign"


class Mending(StrEnum):
    """What became of a finding."""

    NOT_TRIED = "not tried"
    NOT_POSSIBLE = "not possible"
    MENDED = "mended"
    QUEUED = "queued"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`problem` and `remedy` are sentences: what is wrong, and what `--repair` or a person does about it."""

    kind: Kind
    key: str
    problem: str
    remedy: str
    asset_id: str | None = None
    mending: Mending = Mending.NOT_TRIED


@dataclass(slots=True)
class Report:
    """What was looked at, and what was found.

    `pending`: originals that wait for their row, young or while jobs wait in the queue. `skipped`: what could
    not be looked at, and why, as sentences.
    """

    assets: int = 0
    originals: int = 0
    hashed_bytes: int = 0
    pending: int = 0
    table_version: int | None = None
    counts: Counter[Kind] = field(default_factory=Counter)
    mendings: Counter[Mending] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything was looked at and nothing is wrong."""
        return not self.counts and not self.skipped

    def add(self, finding: Finding) -> None:
        """One more; of many the first are kept, all are counted."""
        self.counts[finding.kind] += 1
        self.mendings[finding.mending] += 1
        if len(self.findings) < _KEPT:
            self.findings.append(finding)
