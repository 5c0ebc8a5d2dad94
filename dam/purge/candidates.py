"""What a purge would take: assets deleted before a moment, and those that an earlier purge left half done.

Reads the catalogue and nothing else. The purger judges each asset anew before it touches it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dam.catalogue.row import PURGED

if TYPE_CHECKING:
    from datetime import datetime

    from dam.catalogue import Catalogue, Row

_SHOWN: Final = 10


@dataclass(slots=True)
class Findings:
    """Ids in their order; `first` are a few rows of what is due, to be shown."""

    due: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    younger: int = 0
    size_bytes: int = 0
    first: list[Row] = field(default_factory=list)


async def find_candidates(catalogue: Catalogue, before: datetime) -> Findings:
    """All deleted assets, sorted out. Raises `CatalogueUnavailableError`."""
    found = Findings()
    async for rows in catalogue.deleted():
        current = rows[-1]
        if current.event == PURGED:
            found.unfinished.append(current.id)
        elif is_due(current, before):
            found.due.append(current.id)
            found.size_bytes += current.size_bytes or 0
            if len(found.first) < _SHOWN:
                found.first.append(current)
        else:
            found.younger += 1
    return found


def is_due(row: Row, before: datetime) -> bool:
    """Whether an asset's current row says that it was deleted before that moment, and is not purged."""
    return row.status == "deleted" and row.event != PURGED and row.recorded_at < before
