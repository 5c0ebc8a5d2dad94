"""Settings of maintenance: how often it does what, and how long things are kept.

Built in the command line's entry points and passed down. Every variable has the prefix `DAM_`.
"""

from __future__ import annotations

from typing import Final

from pydantic import Field

from dam.settings import DamSettings

KEEP_DAYS: Final = 7
"""Readers of an older version of the table have at least this long to finish."""


class MaintenanceSettings(DamSettings):
    """Where bucket and queue are, and the intervals of `dam maintain` and `dam reconcile`."""

    lease_s: float = Field(
        default=15.0, ge=3, description="A holder that has not renewed its lease for so long is replaced."
    )
    poll_s: float = Field(default=1.0, gt=0, description="How often the table is looked at while rows come.")
    idle_poll_s: float = Field(default=5.0, gt=0, description="The same after a minute without rows.")

    snapshot_interval_s: float = Field(
        default=2.0, ge=1, description="Shortest time between snapshots; R2 allows one write a second."
    )
    snapshot_large_bytes: int = Field(
        default=8 << 20, ge=0, description="From here on a snapshot waits for growth or for a pause."
    )
    snapshot_growth: float = Field(
        default=0.1, gt=0, description="Share of new or changed rows at which a large one is published."
    )
    snapshot_pause_s: float = Field(
        default=10.0, ge=0, description="A large one is published when no row has come for so long,"
    )
    snapshot_max_lag_s: float = Field(
        default=300.0, gt=0, description="or when its oldest missing row has waited for so long."
    )
    snapshot_max_bytes: int = Field(
        default=4 << 30,
        gt=0,
        le=4 << 30,
        description="Above this (one PUT's limit) no snapshot is published.",
    )
    sort_memory_bytes: int = Field(
        default=16 << 20,
        gt=0,
        description="Rows sorted in memory at once; more goes through a temporary file.",
    )

    compaction_interval_s: float = Field(default=30.0, gt=0, description="How often small files are counted.")
    compaction_min_files: int = Field(default=64, ge=2, description="Small files that make it worth while.")
    compaction_step_bytes: int = Field(
        default=4 << 20, ge=1 << 20, description="Size up to which small files are merged at first."
    )
    compaction_target_bytes: int = Field(
        default=64 << 20, ge=1 << 20, description="Size of a compacted file; it is merged in memory."
    )
    checkpoint_every: int = Field(default=64, ge=1, description="Versions of the table between checkpoints.")
    vacuum_first_s: float = Field(default=600.0, ge=0, description="From the start to the first vacuum.")
    vacuum_interval_s: float = Field(default=24 * 3600.0, gt=0, description="From one vacuum to the next.")
    keep_days: int = Field(
        default=KEEP_DAYS, ge=KEEP_DAYS, description="Files and log of replaced versions are kept so long."
    )

    reconcile_interval_s: float = Field(default=600.0, gt=0, description="From one reconcile to the next.")
    reconcile_retry_s: float = Field(
        default=60.0, gt=0, description="The same where jobs were waiting: what is queued is not lost."
    )
    reconcile_min_age_s: float = Field(
        default=600.0, ge=0, description="A younger original may still be on its way to the queue."
    )
    reconcile_parallel: int = Field(default=4, ge=1, description="Originals read at once for their SHA-256.")
