"""Keeps the Delta table itself in order: compaction, checkpoints, expired log entries, vacuum.

`dam maintain` calls `step` between its looks for new rows. Each is a transaction of its own, or touches only
what no version of the last days needs, so that writers go on beside it: one that loses a race to a compaction
tries again. It must never remove what is younger than `keep_days`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import structlog
from deltalake import PostCommitHookProperties, WriterProperties

from dam.catalogue.storage import translated

if TYPE_CHECKING:
    from dam.catalogue.storage import TableHandle
    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker

log = structlog.get_logger()

_NO_HOOKS: Final = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
_SMALL_SHARE: Final = 0.5
"""A file below this share of the target is worth merging again."""
_ROW_GROUP_ROWS: Final = 8192
"""About 16 MiB of vectors: the writer holds one row group, and a reader of few ids skips the others."""
_LOG_RETENTION: Final = "delta.logRetentionDuration"


@dataclass(slots=True)
class _Timer:
    """Due once every `interval_s`, first after `first_s`."""

    interval_s: float
    due_at: float

    def is_due(self, now: float) -> bool:
        """Whether it is time; if so, the next time is set."""
        if now < self.due_at:
            return False
        self.due_at = now + self.interval_s
        return True


class Upkeep:
    """What is due, and when it was done last. All of its state may be lost."""

    def __init__(self, handle: TableHandle, worker: Worker, settings: MaintenanceSettings) -> None:
        self._handle = handle
        self._worker = worker
        self._settings = settings
        now = time.monotonic()
        self._compaction = _Timer(settings.compaction_interval_s, now + settings.compaction_interval_s)
        self._vacuum = _Timer(settings.vacuum_interval_s, now + settings.vacuum_first_s)
        self._checkpointed = 0

    async def step(self) -> None:
        """Do what is due. Raises `CatalogueUnavailableError`: it is tried again when it is due next."""
        now = time.monotonic()
        if self._compaction.is_due(now):
            await self._worker.run(compact, self._handle, self._settings)
        version = self._handle.delta.version()
        if version - self._checkpointed >= self._settings.checkpoint_every:
            self._checkpointed = version
            await self._worker.run(make_checkpoint, self._handle, self._settings)
        if self._vacuum.is_due(now):
            await self._worker.run(vacuum, self._handle, self._settings)


def compact(handle: TableHandle, settings: MaintenanceSettings) -> bool:
    """Merge small files if there are many; whether there were. Blocking."""
    handle.refresh()
    target = choose_target(_list_sizes(handle), settings)
    if target is None:
        return False
    started = time.monotonic()
    with translated("The catalogue's small files cannot be merged"):
        metrics: dict[str, Any] = handle.delta.optimize.compact(
            target_size=target,
            max_concurrent_tasks=1,  # more would each hold their rows
            writer_properties=WriterProperties(max_row_group_size=_ROW_GROUP_ROWS, compression="ZSTD"),
            post_commithook_properties=_NO_HOOKS,
        )
    log.info(
        "catalogue.compacted",
        files_removed=metrics["numFilesRemoved"],
        files_added=metrics["numFilesAdded"],
        table_version=handle.delta.version(),
        seconds=round(time.monotonic() - started, 3),
    )
    return True


def make_checkpoint(handle: TableHandle, settings: MaintenanceSettings) -> None:
    """One file for the state so far, so that opening stays quick; older log entries may then go. Blocking."""
    handle.refresh()
    retention = f"interval {settings.keep_days} days"
    with translated("The catalogue's log cannot be tidied"):
        if handle.delta.metadata().configuration.get(_LOG_RETENTION) != retention:
            handle.delta.alter.set_table_properties(
                {_LOG_RETENTION: retention}, post_commithook_properties=_NO_HOOKS
            )
        handle.delta.create_checkpoint()
        handle.delta.cleanup_metadata()
    log.info("catalogue.checkpointed", table_version=handle.delta.version())


def vacuum(handle: TableHandle, settings: MaintenanceSettings) -> list[str]:
    """Remove files that no version of the last days needs, and those of commits that never were. Blocking."""
    handle.refresh()
    with translated("The catalogue's old files cannot be removed"):
        removed: list[str] = handle.delta.vacuum(
            retention_hours=24 * settings.keep_days,
            dry_run=False,
            full=True,
            post_commithook_properties=_NO_HOOKS,
        )
    log.info("catalogue.vacuumed", files=len(removed), table_version=handle.delta.version())
    return removed


def choose_target(sizes: pa.ChunkedArray, settings: MaintenanceSettings) -> int | None:
    """The size of file that is worth merging into; None where there is too little to merge.

    Small files become middling ones often, and many of these large ones seldom: merged into a large one at
    once, its rows would be written anew each time.
    """
    large = settings.compaction_target_bytes
    middling = min(settings.compaction_step_bytes, large)
    for target, least in (
        (large, 2 * settings.compaction_min_files),
        (middling, settings.compaction_min_files),
    ):
        if (pc.sum(pc.less(sizes, _SMALL_SHARE * target)).as_py() or 0) >= least:
            return target
    return None


def _list_sizes(handle: TableHandle) -> pa.ChunkedArray:
    with translated("The catalogue's files cannot be listed"):
        return pa.table(handle.delta.get_add_actions(flatten=True))["size_bytes"]
