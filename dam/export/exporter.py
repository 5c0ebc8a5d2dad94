"""Exports what is selected: asset after asset, each complete before its JSON sidecar says so.

Called by `dam export`, as often as somebody likes: what is there and unchanged is skipped, what was cut off
goes on. Its memory grows neither with the catalogue nor with the files.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dam.catalogue.storage import TableHandle
from dam.export.assets import AssetWriter, Outcome, Problem
from dam.export.ledger import Ledger, Place
from dam.export.names import find_folder, fold, list_candidates
from dam.export.selection import COLUMNS, Selection
from dam.maintenance.runs import merge_runs, sort_into_runs
from dam.maintenance.scratch import scratch_folder
from dam.maintenance.worker import Worker
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dam.catalogue import Row
    from dam.export.target import Target
    from dam.maintenance.settings import MaintenanceSettings
    from dam.store.port import ObjectStore

_ASSETS_AT_ONCE: Final = 64
_PROBLEMS_KEPT: Final = 1000


@dataclass(slots=True)
class Report:
    """How many assets ended how. `others`: exported once, and not selected now; their files were left."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    problems: list[Problem] = field(default_factory=list)
    others: int = 0

    def add(self, outcome: Outcome, problem: Problem | None) -> None:
        """One asset is done with; of problems the first are kept, all are counted."""
        self.counts[outcome] += 1
        if problem and len(self.problems) < _PROBLEMS_KEPT:
            self.problems.append(problem)


class Exporter:
    """One for each run. `parallel` originals are on their way at once."""

    def __init__(
        self,
        store: ObjectStore,
        settings: MaintenanceSettings,
        target: Target,
        selection: Selection,
        parallel: int,
    ) -> None:
        self._settings = settings
        self._target = target
        self._selection = selection
        self._writer = AssetWriter(store, target)
        self._turns = asyncio.Semaphore(parallel)

    async def run(
        self, expect: Callable[[int], None], advance: Callable[[], None], *, verify: bool = False
    ) -> Report:
        """Export everything; `expect` hears how many assets there are, `advance` of each that is done with.

        `verify` reads again what is there, and fetches what is damaged.

        Raises:
            TargetError: the folder cannot be used, or is full.
            StoreUnavailableError, CatalogueUnavailableError: what is there stays; a repeat goes on from here.
        """
        worker = Worker("export")
        self._writer.verify = verify
        try:
            with self._target.locked(), Ledger() as ledger, scratch_folder() as scratch:
                await worker.run(ledger.put, self._target.find_places())
                handle = await worker.run(TableHandle.open, *delta_location(self._settings))
                await worker.run(self._select, ledger, handle, scratch, worker)
                self._target.check_room(ledger.missing_bytes())
                expect(ledger.count_wanted())
                report = Report(others=ledger.count_others())
                for ids in ledger.wanted(_ASSETS_AT_ONCE):
                    histories = await worker.run(_read, handle, ids)
                    await self._export(histories, ledger, report, advance)
                return report
        finally:
            worker.close()

    def _select(self, ledger: Ledger, handle: TableHandle, scratch: Path, worker: Worker) -> None:
        handle.refresh()
        batches = handle.scan(COLUMNS)
        runs = sort_into_runs(batches, scratch, self._settings.sort_memory_bytes, worker.check)

        def selected() -> Iterator[tuple[str, int]]:
            for rows in merge_runs(runs):
                worker.check()
                for values in rows.to_pylist():
                    if self._selection.passes(values):
                        yield values["id"], values["size_bytes"] or 0

        ledger.want(selected())

    async def _export(
        self, histories: list[list[Row]], ledger: Ledger, report: Report, advance: Callable[[], None]
    ) -> None:
        """Some assets at once. Names are given out one after the other, so that no two get the same."""

        async def write(history: list[Row], place: Place, former: list[Place]) -> None:
            async with self._turns:
                report.add(*await self._writer.write(history, place, former))
            advance()

        try:
            async with asyncio.TaskGroup() as group:
                for history in histories:
                    if self._selection.passes_row(history[-1]):
                        place, former = self._find_place(history[-1], ledger)
                        group.create_task(write(history, place, former))
                    else:
                        advance()  # changed since it was selected
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    def _find_place(self, row: Row, ledger: Ledger) -> tuple[Place, list[Place]]:
        """Where the asset goes, and where it was under a former name."""
        own = ledger.places_of(row.id)
        candidates = [f"{find_folder(row)}/{name}" for name in list_candidates(row)]
        place = next((place for path in candidates for place in own if place.path == path), None)
        if place is None:
            place = self._take_place(row, candidates, own, ledger)
        return place, [other for other in own if other.path != place.path]

    def _take_place(self, row: Row, candidates: list[str], own: list[Place], ledger: Ledger) -> Place:
        for path in candidates:
            owner = ledger.owner_of(path)
            if owner == row.id:  # but for upper and lower case it is where the asset is already
                return next(place for place in own if fold(place.path) == fold(path))
            if owner is None and self._target.is_free(path, row.size_bytes, row.sha256):
                break
        place = Place(path, row.id)
        ledger.put([place])
        return place


def _read(handle: TableHandle, ids: list[str]) -> list[list[Row]]:
    """Histories as of now: what was edited since it was selected is exported as it is."""
    handle.refresh()
    return list(handle.read_revisions(ids).values())
