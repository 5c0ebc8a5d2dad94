"""A catalogue of many rows with its maintenance, step by step, and what each step costs. Used by `catalogue`.

The very code that services and `dam maintain` run, called one after the other: what a step costs is its own.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from benchmarks.catalogues import AT_ONCE, DIM, MODEL, make_rows
from dam import keys
from dam.catalogue.changes import Change, Committed
from dam.catalogue.storage import TableHandle
from dam.catalogue.table import Catalogue
from dam.ids import new_id
from dam.maintenance.snapshot import SnapshotPublisher
from dam.maintenance.upkeep import compact, make_checkpoint
from dam.maintenance.worker import Worker
from dam.store.delta import delta_location
from dam.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

    from benchmarks.catalogue_meters import Meter
    from dam.maintenance.settings import MaintenanceSettings
    from dam.settings import DamSettings

BATCH: Final = 32
"""Rows of a commit: as many jobs as the orchestrator holds at once."""


class Cost(NamedTuple):
    """Of one step, or of one row."""

    seconds: float
    bytes_written: float
    requests: float

    def of_each(self, rows: int) -> Cost:
        """Shared among so many rows."""
        return Cost(*(part / rows for part in self))

    def plus(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(*(mine + yours for mine, yours in zip(self, other, strict=True)))


NOTHING: Final = Cost(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Table:
    """One catalogue and one maintenance, open."""

    settings: MaintenanceSettings
    catalogue: Catalogue
    handle: TableHandle
    worker: Worker
    publisher: SnapshotPublisher
    meter: Meter
    rng: np.random.Generator

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: MaintenanceSettings, folder: Path, meter: Meter) -> AsyncIterator[Self]:
        """Open it, or make it; `folder` is for temporary files."""
        # A snapshot is due when a benchmark asks for one.
        settings = settings.model_copy(update={"snapshot_interval_s": 0, "snapshot_pause_s": 0})
        async with AsyncExitStack() as stack:
            store = await open_store(settings)
            stack.push_async_callback(store.close)
            catalogue = await Catalogue.open(settings)
            stack.push_async_callback(catalogue.close)
            worker = Worker("maintenance")
            stack.callback(worker.close)
            handle = await worker.run(TableHandle.open, *delta_location(settings))
            publisher = SnapshotPublisher(store, handle, worker, folder, settings)
            yield cls(settings, catalogue, handle, worker, publisher, meter, np.random.default_rng(1))

    async def fill(self, rows: int) -> None:
        """Append so many rows; see `append_to`."""
        await self.worker.run(append_to, self.handle, rows, self.rng)

    async def commit(self, batches: int) -> Cost:
        """So many commits, as the orchestrator makes them."""
        cost = NOTHING
        for _ in range(batches):
            changes = [_make_change(self.rng) for _ in range(BATCH)]
            cost = cost.plus(await self._measure(self._commit(changes)))
        return cost

    async def tidy(self) -> Cost:
        """A checkpoint, and a compaction. Raises RuntimeError where there was nothing to merge."""
        return await self._measure(self._tidy())

    async def publish(self) -> Cost:
        """A snapshot of all there is. Raises RuntimeError where none was made."""
        return await self._measure(self._publish())

    async def _commit(self, changes: list[Change]) -> None:
        for outcome in await self.catalogue.commit(changes):
            if not isinstance(outcome, Committed):
                raise TypeError(f"A row was not written: {outcome}")

    async def _tidy(self) -> None:
        await self.worker.run(make_checkpoint, self.handle, self.settings)
        if not await self.worker.run(compact, self.handle, self.settings):
            raise RuntimeError("There were too few small files for a compaction.")

    async def _publish(self) -> None:
        await self.publisher.step()

    async def _measure(self, step: Awaitable[None]) -> Cost:
        before = self.meter.read()
        started = time.perf_counter()
        await step
        seconds = time.perf_counter() - started
        after = self.meter.read()
        return Cost(seconds, after.bytes_written - before.bytes_written, after.requests - before.requests)


def append_rows(settings: DamSettings, rows: int) -> None:
    """Append so many rows to the catalogue that the settings name."""
    append_to(TableHandle.open(*delta_location(settings)), rows, np.random.default_rng(1))


def append_to(handle: TableHandle, rows: int, rng: np.random.Generator) -> None:
    """Append so many rows in large pieces, as a table holds them that was compacted. Blocking."""
    for at in range(0, rows, AT_ONCE):
        count = min(AT_ONCE, rows - at)
        vectors = rng.standard_normal((count, DIM)).astype(np.float32)
        made = make_rows(range(count), rng.integers(0, 2000, count), vectors)
        handle.refresh()
        write_deltalake(handle.delta, _with_new_ids(made), mode="append")


def _with_new_ids(rows: pa.Table) -> pa.Table:
    """The same rows as assets of now: their ids sort before those that come later."""
    ids = [new_id() for _ in range(rows.num_rows)]
    columns = {
        "id": ids,
        "change_id": ids,
        "r2_key": [keys.original(asset_id, "jpg") for asset_id in ids],
        "vector_key": [keys.vector(asset_id) for asset_id in ids],
    }
    for name, values in columns.items():
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(at), pa.array(values, pa.string()))
    return rows


def _make_change(rng: np.random.Generator) -> Change:
    asset_id = new_id()
    values: dict[str, Any] = {
        "filename": f"IMG_{rng.integers(10**6):06}.jpg",
        "r2_key": keys.original(asset_id, "jpg"),
        "vector_key": keys.vector(asset_id),
        "mime_type": "image/jpeg",
        "caption": " ".join(f"thing{number}" for number in rng.integers(0, 2000, 6)),
        "received_at": datetime.now(UTC),
        "asset_type": "image",
        "size_bytes": int(rng.integers(10**7)),
        "sha256": rng.bytes(32).hex(),
        "width": 4000,
        "height": 3000,
        "caption_by": MODEL,
        "embedding_by": MODEL,
        "placeholder": rng.bytes(24).hex(),
        "embedding": rng.standard_normal(DIM).astype(np.float32).tolist(),
        "attempts": 1,
    }
    return Change(asset_id, new_id(), 0, "enriched", "ready", "orchestrator", values)
