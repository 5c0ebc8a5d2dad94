"""The commit protocol: refresh, read, judge, append as the next version; after a lost race, all of it again.

The committer runs `write_batch` in a thread, one batch at a time. It must never report a change as committed
before its rows are in the table, nor append again before it has looked for what it tried to append.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from dam.catalogue.planning import Plan, plan_batch
from dam.catalogue.storage import LostRaceError
from dam.errors import CatalogueUnavailableError
from dam.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dam.catalogue.changes import Change, Outcome
    from dam.catalogue.row import Row

log = structlog.get_logger()

_MAX_FAILURES: Final = 3
"""Tries after errors; each holds the storage client's own retries already."""
_RACE_BUDGET_S: Final = 60.0
_SPLIT_BUDGET_S: Final = 60.0
"""Not less than the race's: a batch that only lost races is not split."""
_FIRST_WAIT_S: Final = 0.02
_LONGEST_WAIT_S: Final = 1.0


class Table(Protocol):
    """What the protocol needs of a table (`TableHandle`; tests put a faulty one in between)."""

    def refresh(self) -> int:
        """See the newest version."""

    def read_revisions(self, ids: Collection[str]) -> dict[str, list[Row]]:
        """Every revision of these ids."""

    def append(self, rows: Sequence[Row], commit_id: str) -> None:
        """Append as the very next version."""

    def has_commit(self, commit_id: str, since: int) -> bool:
        """Whether a version after `since` carries this commit id."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One append whose outcome is not known yet."""

    plan: Plan
    commit_id: str
    base: int


def write_batch(table: Table, changes: Sequence[Change]) -> list[Outcome | CatalogueUnavailableError]:
    """Commit a batch; one outcome each, in order, or the error of the changes that could not be tried out.

    A batch that fails with the table within reach is split, so that one row nobody can write does not hold
    its neighbours back; not for ever, since a table that takes no row at all looks the same.
    """
    return _write(table, changes, time.monotonic() + _SPLIT_BUDGET_S)


def _write(
    table: Table, changes: Sequence[Change], deadline: float
) -> list[Outcome | CatalogueUnavailableError]:
    try:
        return list(_commit(table, changes))
    except CatalogueUnavailableError as error:
        if len(changes) == 1 or time.monotonic() > deadline or not _is_reachable(table):
            return [error] * len(changes)
        log.warning("catalogue.batch_split", changes=len(changes), error=str(error))
        # One asset's changes stay in order, since the halves are written one after the other.
        middle = len(changes) // 2
        return _write(table, changes[:middle], deadline) + _write(table, changes[middle:], deadline)


def _commit(table: Table, changes: Sequence[Change]) -> list[Outcome]:
    """The whole batch as one commit. Raises `CatalogueUnavailableError` when the tries are spent."""
    attempt: _Attempt | None = None
    failures = races = 0
    deadline = time.monotonic() + _RACE_BUDGET_S
    while True:
        try:
            base = table.refresh()
            if attempt and table.has_commit(attempt.commit_id, attempt.base):
                return attempt.plan.outcomes
            plan = _plan(table, changes)
            if not plan.rows:
                return plan.outcomes
            attempt = _Attempt(plan, new_id(), base)
            table.append(plan.rows, attempt.commit_id)
        except LostRaceError as error:
            races += 1
            if time.monotonic() > deadline:
                raise CatalogueUnavailableError(
                    f"{len(changes)} changes lost the race for the catalogue {races} times in "
                    f"{_RACE_BUDGET_S:.0f} s; give them again later. {error}"
                ) from error
        except CatalogueUnavailableError as error:
            failures += 1
            log.warning("catalogue.commit_unclear", failures=failures, error=str(error))
            if failures >= _MAX_FAILURES:
                raise
        else:
            return plan.outcomes
        _pause(races + failures)


def _plan(table: Table, changes: Sequence[Change]) -> Plan:
    known = table.read_revisions({change.asset_id for change in changes})
    return plan_batch(changes, known, datetime.now(UTC))


def _is_reachable(table: Table) -> bool:
    try:
        table.refresh()
    except CatalogueUnavailableError:
        return False
    return True


def _pause(tries: int) -> None:
    """Writers that lost the same race must not meet again at the next one."""
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(tries, 10))
    time.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
