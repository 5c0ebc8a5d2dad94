"""One adoption from beginning to end, dry or real. `dam adopt` and its tests call `adopt_bucket`.

The copy of the original's table comes last: only then may the snapshot replace it, and reconcile queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from dam.adopt.assessing import tell_lost_row
from dam.adopt.contents import Contents
from dam.adopt.foreseeing import Foreseer
from dam.adopt.former import fetch_tables, keep_table
from dam.adopt.originals import Reader
from dam.adopt.report import Report
from dam.adopt.taking import Taker
from dam.adopt.walking import Item, Walk
from dam.catalogue.storage import TableHandle
from dam.maintenance.scratch import scratch_folder
from dam.maintenance.worker import Worker
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from dam.adopt.options import AdoptOptions
    from dam.catalogue import Catalogue
    from dam.maintenance.settings import MaintenanceSettings
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectStore

_WINDOW: Final = 64
"""Assets in one commit: with vectors some 200 KB."""


@dataclass(frozen=True, slots=True)
class Writers:
    """What a real adoption needs beside the store."""

    queue: JobQueue
    catalogue: Catalogue


class _Doer(Protocol):
    async def take(self, items: Sequence[Item]) -> None:
        """Take over originals without a row."""

    async def recaption(self, items: Sequence[Item]) -> None:
        """Give rows the caption that was there."""


async def adopt_bucket(
    settings: MaintenanceSettings,
    store: ObjectStore,
    options: AdoptOptions,
    writers: Writers | None = None,
    advance: Callable[[int], None] | None = None,
) -> Report:
    """Take a bucket over; without `writers` only tell what that would do. Safe to stop and to repeat.

    `advance` hears of how many assets are done with.

    Raises:
        FormerTableError: the original's table is damaged.
        StoreUnavailableError, CatalogueUnavailableError, QueueUnavailableError: it stopped half way.
    """
    report = Report()
    worker = Worker("adopt")
    try:
        with scratch_folder() as folder:
            tables, waiting = await fetch_tables(store, folder)
            report.is_table_waiting = waiting is not None
            handle = await worker.run(lambda: TableHandle.find(*delta_location(settings)))
            walk = Walk(store, handle, tables, folder, settings, options, worker, report)
            contents = Contents.open(folder)
            try:
                doer = _make_doer(walk, contents, writers)
                await _work_through(walk.items(), doer, walk, advance or (lambda _: None))
            finally:
                contents.close()
            if waiting is not None and writers is not None and not report.is_misplaced:
                report.kept_at = await keep_table(store, waiting)
    finally:
        worker.close()
    return report


def _make_doer(walk: Walk, contents: Contents, writers: Writers | None) -> _Doer:
    reader = Reader(walk.store, walk.folder)
    if writers is None:
        return Foreseer(walk.store, reader, contents, walk.options, walk.report)
    return Taker(walk.store, writers.queue, writers.catalogue, reader, walk.options, walk.report)


async def _work_through(
    items: AsyncIterator[Item], doer: _Doer, walk: Walk, advance: Callable[[int], None]
) -> None:
    new: list[Item] = []
    bare: list[Item] = []

    async def flush() -> None:
        await doer.take(new)
        await doer.recaption(bare)
        advance(len(new) + len(bare))
        new.clear()
        bare.clear()

    async for item in items:
        if item.state is not None:
            walk.report.known += 1
            if item.lacks_caption:
                bare.append(item)
        elif item.originals:
            new.append(item)
        elif item.row is not None:
            tell_lost_row(item.row, walk.options, walk.report)
        if len(new) + len(bare) >= _WINDOW:
            await flush()
    await flush()
