"""Commits rows through the catalogue, and settles changes that came too late.

Called by `settling` and `deadletters`. The catalogue coalesces what is given to it at the same moment; this
module makes the moments the same. It returns only what is durable.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from dam.catalogue.changes import Committed, Refused, Repeated, Stale
from dam.errors import CatalogueError, CatalogueUnavailableError
from orchestrator.decisions import keep_edits, rebase

if TYPE_CHECKING:
    from dam.catalogue.changes import Change, Outcome
    from dam.catalogue.row import Row
    from dam.catalogue.table import Catalogue

_log = structlog.get_logger()

Durable = Committed | Repeated | Stale
"""How a change can end well; `Stale` is one that was superseded."""

_MOST_REBASES: Final = 5
_TRIES: Final = 4
_FIRST_PAUSE_S: Final = 0.5


class Committer:
    """Changes that come within `linger_s` of each other go into one commit; so do those that wait for one."""

    def __init__(self, catalogue: Catalogue, *, linger_s: float) -> None:
        self._catalogue = catalogue
        self._linger_s = linger_s
        self._window: asyncio.Task[None] | None = None

    async def current(self, asset_id: str) -> Row | None:
        """The asset's row as of now. Raises CatalogueUnavailableError."""
        return (await self._catalogue.current([asset_id])).get(asset_id)

    async def commit(self, change: Change) -> Durable:
        """Make the change durable, against a newer revision where `decisions.rebase` allows it.

        Raises:
            CatalogueUnavailableError: nothing is known to be written.
            CatalogueError: this row can never be written.
        """
        await self._gather_company()
        made = change
        if change.expected_revision > 0:
            change = keep_edits(made, await self.current(made.asset_id))
        for _ in range(_MOST_REBASES):
            outcome = await self._commit_patiently(change)
            if isinstance(outcome, Refused):
                raise CatalogueError(f"The row of {change.asset_id} cannot be written: {outcome.reason}")
            if not isinstance(outcome, Stale):
                return outcome
            revision = rebase(change, outcome.current)
            if revision is None or revision == change.expected_revision:
                return outcome
            change = replace(keep_edits(made, outcome.current), expected_revision=revision)
        raise CatalogueUnavailableError(f"Others keep changing {change.asset_id}; it is tried again later.")

    async def _gather_company(self) -> None:
        """The first opens a window of time; all who come while it is open go on in the same moment."""
        if self._window is None or self._window.done():
            self._window = asyncio.create_task(asyncio.sleep(self._linger_s))
        await asyncio.shield(self._window)

    async def _commit_patiently(self, change: Change) -> Outcome:
        """A short outage of the bucket must not cost the models' work: a few tries before it is given up."""
        pause = _FIRST_PAUSE_S
        for _ in range(_TRIES - 1):
            try:
                return (await self._catalogue.commit([change]))[0]
            except CatalogueUnavailableError as error:
                _log.warning("commit.waiting", reason=str(error), pause_s=pause)
                await asyncio.sleep(pause)
                pause *= 2
        return (await self._catalogue.commit([change]))[0]
