"""When a new snapshot is due. Pure: no clock, no I/O; the publisher asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dam.maintenance.settings import MaintenanceSettings


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the published snapshot lacks. Times are of one monotonic clock.

    `rows` is None where nobody has counted: after a start, or when the snapshot is unreadable.
    """

    rows: int | None
    oldest_at: float
    newest_at: float


@dataclass(frozen=True, slots=True)
class Published:
    """How large the published snapshot is, and when it was published (or found) by that clock."""

    rows: int
    size: int
    at: float


def is_due(
    backlog: Backlog | None, published: Published | None, settings: MaintenanceSettings, now: float
) -> bool:
    """Whether to publish now: at once while small, at enough change or after a pause when large."""
    if backlog is None:
        return False
    if published is None or backlog.rows is None:
        return True
    if now - published.at < settings.snapshot_interval_s:
        return False
    return (
        published.size < settings.snapshot_large_bytes
        or backlog.rows >= settings.snapshot_growth * published.rows
        or now - backlog.newest_at >= settings.snapshot_pause_s
        or now - backlog.oldest_at >= settings.snapshot_max_lag_s
    )
