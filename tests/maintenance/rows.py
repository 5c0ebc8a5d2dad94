"""A catalogue table filled by hand, and the snapshot as a reader sees it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import pyarrow.parquet as pq

from dam import keys
from dam.catalogue.row import Row
from dam.catalogue.storage import LostRaceError, TableHandle
from dam.ids import new_id
from dam.maintenance.snapshot import SnapshotPublisher
from dam.maintenance.worker import Worker
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from dam.catalogue.row import Status
    from dam.maintenance.settings import MaintenanceSettings
    from dam.store.port import ObjectStore

IDS = [f"00000000-0000-4000-8000-{number:012x}" for number in range(12)]
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def make_row(asset_id: str, revision: int = 1, status: Status = "ready", **values: Any) -> Row:
    """One revision, with a vector, which no snapshot may show."""
    known: dict[str, Any] = {"caption": f"caption {revision}", "embedding": [0.5] * 4, "tags": ["a", "b"]}
    return Row(
        id=asset_id,
        revision=revision,
        change_id=new_id(),
        event="enriched",
        recorded_at=NOW,
        actor="orchestrator",
        status=status,
        **{**known, **values},
    )


@dataclass
class Bench:
    """A table, its store, and a publisher that publishes at every step."""

    settings: MaintenanceSettings
    store: ObjectStore
    handle: TableHandle
    folder: Path
    workers: list[Worker] = field(default_factory=list)

    @classmethod
    def open(cls, settings: MaintenanceSettings, store: ObjectStore, folder: Path) -> Self:
        """On an empty bucket."""
        return cls(settings, store, TableHandle.open(*delta_location(settings)), folder)

    def append(self, *rows: Row) -> int:
        """Commit rows, again after each lost race, as every writer does; the version they are in."""
        while True:
            self.handle.refresh()
            try:
                self.handle.append(rows, new_id())
            except LostRaceError:
                continue
            return self.handle.delta.version()

    def publisher(self, **changed: Any) -> SnapshotPublisher:
        """A new one, as after a start of the process; `folder` is then its own."""
        worker = Worker("test")
        self.workers.append(worker)
        self.folder = self.folder.with_name(f"temporary-{len(self.workers)}")
        self.folder.mkdir()
        settings = self.settings.model_copy(update={"snapshot_interval_s": 0.0, **changed})
        handle = TableHandle.open(*delta_location(settings))
        return SnapshotPublisher(self.store, handle, worker, self.folder, settings)

    async def read_snapshot(self) -> pa.Table:
        """What is published."""
        found = await self.store.get(keys.SNAPSHOT)
        return pq.read_table(io.BytesIO(found.data))

    async def read_version(self) -> int:
        """The table version in the published footer."""
        found = await self.store.get(keys.SNAPSHOT)
        metadata = pq.ParquetFile(io.BytesIO(found.data)).metadata.metadata
        return int(metadata[b"dam.table_version"])

    def close(self) -> None:
        """Let the threads go."""
        for worker in self.workers:
            worker.close()


def current(rows: Sequence[Row]) -> dict[str, Row]:
    """The newest revision of each live asset."""
    newest: dict[str, Row] = {}
    for row in rows:
        if row.id not in newest or newest[row.id].revision < row.revision:
            newest[row.id] = row
    return {asset_id: row for asset_id, row in sorted(newest.items()) if row.status == "ready"}


async def holds(bench: Bench, rows: int) -> bool:
    """Whether the published snapshot has so many rows."""
    return len(await bench.read_snapshot()) == rows
