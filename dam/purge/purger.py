"""The steps of a purge, in the only order that loses nothing.

The claim becomes a tombstone first, so that whoever uploads the content from then on gets an asset of their
own. The row decides: it becomes `purged` only if it is still the revision that was deleted, so a restore that
came before wins and keeps every byte. Then the bytes go, and at last the earlier rows, which are what tells
the next run that this one was cut off. Called by `dam purge`; any number may run at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog

from dam.catalogue import Change, Committed, Refused, Repeated, Stale
from dam.catalogue.encoding import OWN_COLUMNS
from dam.catalogue.row import PURGED, SNAPSHOT_SCHEMA
from dam.errors import CatalogueError
from dam.ids import new_id
from dam.purge.candidates import is_due
from dam.purge.remains import Remains, RemainsKeeper, find_remains

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from dam.catalogue import Catalogue, Outcome, Row
    from dam.purge.candidates import Findings
    from dam.store.port import ObjectStore

log = structlog.get_logger()

_ASSETS_AT_ONCE: Final = 100
_KEPT: Final = OWN_COLUMNS | {"received_at"}
_NOTHING: Final[dict[str, Any]] = {name: None for name in SNAPSHOT_SCHEMA.names if name not in _KEPT}
"""A `purged` row says that there was an asset, and since when; nothing of what it was."""


@dataclass(slots=True)
class Report:
    """What was done. `kept` were restored, or deleted anew, before their turn came."""

    purged: list[str] = field(default_factory=list)
    size_bytes: int = 0
    kept: list[str] = field(default_factory=list)


class Purger:
    """One for each run; `actor` is who asked for it."""

    def __init__(self, store: ObjectStore, catalogue: Catalogue, actor: str) -> None:
        self._catalogue = catalogue
        self._remains = RemainsKeeper(store)
        self._actor = actor

    async def run(self, found: Findings, before: datetime, tell: Callable[[int], None]) -> Report:
        """Purge what was found and is still due; `tell` hears of how many assets the bytes are gone.

        Raises:
            StoreUnavailableError, CatalogueUnavailableError: what is done stays done; run it again.
        """
        report = Report()
        ids = sorted([*found.unfinished, *found.due])
        for at in range(0, len(ids), _ASSETS_AT_ONCE):
            some = ids[at : at + _ASSETS_AT_ONCE]
            await self._purge(some, before, report)
            tell(len(some))
        await self._catalogue.erase(report.purged)
        log.info("purge.done", purged=len(report.purged), kept=len(report.kept), bytes=report.size_bytes)
        return report

    async def _purge(self, ids: Sequence[str], before: datetime, report: Report) -> None:
        histories = await self._catalogue.histories(ids)
        remains = {asset_id: find_remains(rows) for asset_id, rows in histories.items()}
        # The claims are looked at before the rows: a restore writes its row first and its claim then. One
        # that the rows do not show yet will put its claim over the tombstone; one whose claim came between
        # makes the tombstone fail.
        held = await self._remains.find_claims(list(remains.values()))
        rows = await self._catalogue.current(ids)
        due = [row for row in rows.values() if is_due(row, before)]
        finished = {row.id for row in rows.values() if row.event == PURGED}
        open_claims = await self._remains.bury([held[row.id] for row in due if row.id in held])
        open_claims += [held[key] for key in finished if key in held]
        gone = finished | await self._commit(due, remains)
        await self._remains.bury_for_good([item for item in open_claims if item.held.claim.id in gone])
        await self._remains.remove([remains[key] for key in sorted(gone)])
        report.purged += sorted(gone)
        report.size_bytes += sum(remains[key].size_bytes for key in gone)
        report.kept += [key for key in ids if key not in gone]

    async def _commit(self, rows: Sequence[Row], remains: dict[str, Remains]) -> set[str]:
        """Make the rows `purged`; ids of those that are."""
        changes = [
            Change(row.id, new_id(), row.revision, "purged", "deleted", self._actor, _NOTHING) for row in rows
        ]
        gone = set()
        for row, outcome in zip(rows, await self._catalogue.commit(changes), strict=True):
            current = _current_after(row, outcome)
            if current.event == PURGED:
                gone.add(row.id)
            else:
                log.info("purge.kept", asset_id=row.id, revision=current.revision, because=current.event)
                await self._remains.give_back(remains[row.id], current.status)
        return gone


def _current_after(row: Row, outcome: Outcome) -> Row:
    """The row as it is, whoever made it."""
    match outcome:
        case Committed(current) | Repeated(current):
            return current
        case Stale(current) if current is not None:
            return current
        case Stale() | Refused():
            raise CatalogueError(f"The asset {row.id} cannot be purged: {outcome}.")
