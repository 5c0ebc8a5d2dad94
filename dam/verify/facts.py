"""What is known of one asset, or of one content's claim, from wherever it was read. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dam.catalogue.row import PURGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from dam.claims import Claim
    from dam.store.port import ObjectInfo

COLUMNS = (
    "id",
    "revision",
    "event",
    "status",
    "r2_key",
    "vector_key",
    "sha256",
    "size_bytes",
    "asset_type",
    "embedding_by",
)
"""Of a row, what is needed."""


@dataclass(frozen=True, slots=True)
class State:
    """An asset as its rows say. `dim`: length of the vector in the row that made it; None where not read.

    `is_sound`: its revisions are 1, 2, 3 … without a gap or a double.
    """

    id: str
    revision: int
    event: str
    status: str
    r2_key: str | None
    vector_key: str | None
    sha256: str | None
    size_bytes: int | None
    asset_type: str | None
    embedding_by: str | None
    dim: int | None
    is_sound: bool

    @property
    def is_purged(self) -> bool:
        """Whether nothing but its row may be left."""
        return self.event == PURGED

    @property
    def knows_no_content(self) -> bool:
        """Whether its row was made from a message that nobody could read."""
        return self.sha256 is None and not self.is_purged

    @property
    def is_enriched_picture(self) -> bool:
        """Whether thumbnails and a vector belong to it."""
        return self.status != "failed" and not self.is_purged and self.asset_type in {None, "image"}


@dataclass(frozen=True, slots=True)
class Vector:
    """What a vector's object says; `model` None where it cannot be read."""

    id: str | None
    model: str | None
    dim: int | None


@dataclass(slots=True)
class Facts:
    """One asset: its rows, and its objects as listed.

    `hashes` has the SHA-256 of the originals that were read, `vector` what the primary vector says; both stay
    empty in a quick look. `holder` is who holds the content of an original without a row.
    """

    asset_id: str
    state: State | None
    originals: list[ObjectInfo] = field(default_factory=list)
    thumbnails: list[ObjectInfo] = field(default_factory=list)
    vectors: list[ObjectInfo] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    vector: Vector | None = None
    holder: Claim | None = None


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """One content. `states`: assets whose row has it; `holder`: the row of whom the claim names.

    `claim` None where there is none, or it cannot be read (`made_at` tells them apart). `has_original`:
    whether the claim's key is there.
    """

    sha256: str
    claim: Claim | None
    made_at: datetime | None
    states: tuple[State, ...]
    holder: State | None = None
    has_original: bool = True


def make_state(rows: Iterable[Mapping[str, Any]]) -> State:
    """Of all rows of one asset, in any order; each has `COLUMNS`, and `dim` where vectors were read."""
    known = sorted(rows, key=lambda row: row["revision"])
    newest = known[-1]
    dims = [row["dim"] for row in known if row.get("dim") and row["embedding_by"] == newest["embedding_by"]]
    revisions = [row["revision"] for row in known]
    # A purge takes the earlier rows away, and may have come half way.
    is_sound = len(set(revisions)) == len(revisions) and (
        newest["event"] == PURGED or revisions == list(range(1, len(revisions) + 1))
    )
    values = {name: newest[name] for name in COLUMNS}
    return State(**values, dim=dims[-1] if dims else None, is_sound=is_sound)
