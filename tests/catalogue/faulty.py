"""A table in memory that several writers hold, and in between the faults of a network."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dam.catalogue.storage import LostRaceError
from dam.errors import CatalogueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from dam.catalogue import Row


@dataclass
class Log:
    """What is durable: one commit for each version."""

    commits: list[tuple[str, list[Row]]] = field(default_factory=list)

    @property
    def rows(self) -> list[Row]:
        """Every row there is, in the order of its commit."""
        return [row for _, rows in self.commits for row in rows]


@dataclass
class FaultyTable:
    """One writer's handle.

    `faults` happen to its appends, in order: `before` (unclear, not written), `after` (unclear, written),
    `race` (`rival` commits first), `own` (written, and told that somebody was first: the storage client
    repeated a request whose answer was lost), `none`.
    """

    log: Log = field(default_factory=Log)
    faults: deque[str] = field(default_factory=deque)
    rival: Callable[[], object] = lambda: None
    poison: str = ""
    """No batch with this caption in it can be written."""
    is_down: bool = False
    appends: int = 0
    refreshes: int = 0
    _seen: int = 0

    def refresh(self) -> int:
        """See what is durable."""
        self.refreshes += 1
        if self.is_down:
            raise CatalogueUnavailableError("The table is down (fault of this test).")
        self._seen = len(self.log.commits)
        return self._seen

    def read_revisions(self, ids: Collection[str]) -> dict[str, list[Row]]:
        """Rows as of the last refresh."""
        found: dict[str, list[Row]] = {}
        for _, rows in self.log.commits[: self._seen]:
            for row in rows:
                if row.id in ids:
                    found.setdefault(row.id, []).append(replace(row, embedding=None))
        return found

    def append(self, rows: Sequence[Row], commit_id: str) -> None:
        """The next version, unless somebody made it."""
        self.appends += 1
        fault = self.faults.popleft() if self.faults else "none"
        if fault == "race":
            self.rival()
        if fault == "before" or (self.poison and self.poison in [row.caption for row in rows]):
            raise CatalogueUnavailableError("It did not answer (fault of this test).")
        if self._seen != len(self.log.commits):
            raise LostRaceError("Another was first.")
        self.log.commits.append((commit_id, list(rows)))
        if fault == "after":
            raise CatalogueUnavailableError("Its answer was lost (fault of this test).")
        if fault == "own":
            raise LostRaceError("Its answer was lost, and its repetition was second.")

    def has_commit(self, commit_id: str, since: int) -> bool:
        """Among the versions after `since`, as of the last refresh."""
        return any(commit_id == found for found, _ in self.log.commits[since : self._seen])
