"""What `catalogue` makes its tables of, and where: each table has a store of its own, with a meter at it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.catalogue_meters import FolderMeter, Meter, RadosgwMeter
from dam.maintenance.settings import MaintenanceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.radosgw import Radosgw


class Plan(NamedTuple):
    """How large the large table is, and what a run takes of each table."""

    rows: int
    commits: int
    """Until the next checkpoint and compaction."""
    compactions: int
    """Of the large table, whose compactions are not all alike."""
    small_tables: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where tables are made: each in a folder or in a bucket of its own."""

    folder: Path
    radosgw: Radosgw | None
    plan: Plan
    numbers: Iterator[int]

    def make(self) -> tuple[MaintenanceSettings, Path, Meter]:
        """Settings of an empty store, a folder for temporary files, and what counts at the store."""
        folder = self.folder / str(next(self.numbers))
        scratch = folder / "scratch"
        scratch.mkdir(parents=True)
        if self.radosgw is None:
            (folder / "bucket").mkdir()
            return self._settings(folder), scratch, FolderMeter(folder / "bucket")
        os.environ.update(self.radosgw.environment(self.radosgw.create_bucket()))
        return self._settings(folder), scratch, RadosgwMeter(self.radosgw)

    def _settings(self, folder: Path) -> MaintenanceSettings:
        return MaintenanceSettings(data_dir=folder, compaction_min_files=self.plan.commits)
