"""What every part of one verification shares: the bucket, how it is looked at, and the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectInfo, ObjectStore
    from dam.verify.findings import Report
    from dam.verify.options import VerifyOptions


@dataclass(frozen=True, slots=True)
class Scope:
    """One run. `oldest`: what is younger may be on its way. `folder` is for temporary files.

    `advance` hears of how much is done with, `tell_other` of objects at other keys than usual.
    """

    settings: MaintenanceSettings
    store: ObjectStore
    queue: JobQueue | None
    options: VerifyOptions
    worker: Worker
    folder: Path
    oldest: datetime
    report: Report
    advance: Callable[[int], None]
    tell_other: Callable[[ObjectInfo], None]
