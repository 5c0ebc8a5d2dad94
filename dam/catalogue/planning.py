"""Decides what becomes of a batch of changes, given the rows that are there. Pure: no clock, no I/O.

The commit protocol calls this anew after every refresh, so that a lost race is judged on the rows as they
are now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dam.catalogue.changes import Change, Committed, Outcome, Refused, Repeated, Stale
from dam.catalogue.encoding import find_fault, find_misfit
from dam.catalogue.row import PURGED, SCHEMA_VERSION, Row
from dam.ids import is_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """One outcome for each change, in order, and the rows to append for them to be true."""

    outcomes: list[Outcome]
    rows: list[Row]


def plan_batch(changes: Sequence[Change], known: Mapping[str, Sequence[Row]], now: datetime) -> Plan:
    """Judge the changes one after the other; a later one sees what an earlier one of its asset makes.

    `known` holds every revision of the changed assets, oldest first.
    """
    revisions = {asset_id: list(rows) for asset_id, rows in known.items()}
    outcomes: list[Outcome] = []
    rows: list[Row] = []
    for change in changes:
        outcome = _judge(change, revisions.get(change.asset_id, []), now)
        outcomes.append(outcome)
        if isinstance(outcome, Committed):
            rows.append(outcome.row)
            # What a second change of this asset takes over is the state, never the vector.
            revisions.setdefault(change.asset_id, []).append(replace(outcome.row, embedding=None))
    return Plan(outcomes, rows)


def _judge(change: Change, revisions: Sequence[Row], now: datetime) -> Outcome:
    repeated = next((row for row in revisions if row.change_id == change.change_id), None)
    if repeated:
        return Repeated(repeated)
    current = revisions[-1] if revisions else None
    if change.expected_revision != (current.revision if current else 0):
        return Stale(current)
    if current and current.event == PURGED:
        return Refused(f"The asset {change.asset_id} was purged: nothing can change it any more.")
    fault = _find_fault(change)
    return Refused(fault) if fault else Committed(_make_row(change, current, now))


def _find_fault(change: Change) -> str | None:
    if not is_id(change.asset_id):
        return f"The asset id {change.asset_id!a} is not a UUID in lower case."
    own = {"change_id": change.change_id, "event": change.event, "actor": change.actor}
    misfits = (find_misfit(name, value) for name, value in {**own, "status": change.status}.items())
    return next((misfit for misfit in misfits if misfit), None) or find_fault(change.values)


def _make_row(change: Change, current: Row | None, now: datetime) -> Row:
    own = {
        "revision": change.expected_revision + 1,
        "change_id": change.change_id,
        "schema_version": SCHEMA_VERSION,
        "event": change.event,
        "recorded_at": now,
        "actor": change.actor,
        "status": change.status,
    }
    values = {"embedding": None, **change.values, **own}
    return replace(current, **values) if current else Row(id=change.asset_id, **values)
