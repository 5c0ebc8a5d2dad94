"""Makes a new snapshot file: the published one merged with the rows since, or all rows read anew.

Blocking; the publisher runs it in the thread of its table handle. Memory is bounded whatever the size: rows
are sorted in runs, merged as a stream and written a row group at a time. It never talks to the store.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import structlog

from dam.catalogue.feed import FeedUnreadableError
from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.errors import DamError
from dam.maintenance import snapshot_file
from dam.maintenance.feed import read_added
from dam.maintenance.runs import merge_runs, sort_into_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dam.catalogue.storage import TableHandle
    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.snapshot_file import Footer

log = structlog.get_logger()


class LocalDiskError(DamError):
    """The temporary folder is full, or gone."""


@dataclass(frozen=True, slots=True)
class SnapshotBuilder:
    """Builds from one table. `check` is called between pieces, and may raise to stop the work."""

    handle: TableHandle
    settings: MaintenanceSettings
    check: Callable[[], None]

    def build(self, path: Path, base: Path, footer: Footer | None) -> Footer:
        """Write the snapshot of the version that the handle sees to `path`, and return its footer.

        `footer` is that of the published snapshot, whose copy lies at `base`; None where there is none.

        Raises:
            SnapshotTooLargeError: see `snapshot_file.write`.
            CatalogueUnavailableError: the table does not answer.
            LocalDiskError: the temporary folder cannot be written.
        """
        try:
            if footer and self._can_merge(footer):
                try:
                    return self._merge(path, base, footer.version)
                except FeedUnreadableError as error:
                    log.warning("snapshot.rebuilding", reason=str(error))
                except (pa.ArrowException, OSError) as error:
                    log.warning("snapshot.rebuilding", reason=f"The published one is damaged: {error}")
            return self._rebuild(path)
        except OSError as error:
            raise LocalDiskError(f"The temporary folder of {path} cannot be used: {error}") from error

    def is_current(self, footer: Footer) -> bool:
        """Whether a snapshot with this footer shows the version that the handle sees."""
        return self._can_merge(footer) and footer.version == self.handle.delta.version()

    def _can_merge(self, footer: Footer) -> bool:
        return footer.table_id == self._table_id() and footer.version <= self.handle.delta.version()

    def _merge(self, path: Path, base: Path, since: int) -> Footer:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            added = self._sort(read_added(self.handle, since), folder)
            return self._write(path, merge_runs([snapshot_file.read_run(base), *added]))

    def _rebuild(self, path: Path) -> Footer:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            every = self._sort(self.handle.scan(SNAPSHOT_SCHEMA.names), folder)
            return self._write(path, merge_runs(every))

    def _sort(self, batches: Iterable[pa.RecordBatch], folder: str) -> list[Iterator[pa.Table]]:
        return sort_into_runs(batches, Path(folder), self.settings.sort_memory_bytes, self.check)

    def _write(self, path: Path, rows: Iterator[pa.Table]) -> Footer:
        return snapshot_file.write(
            path,
            rows,
            table_id=self._table_id(),
            version=self.handle.delta.version(),
            max_bytes=self.settings.snapshot_max_bytes,
            check=self.check,
        )

    def _table_id(self) -> str:
        return str(self.handle.delta.metadata().id)
