"""Free space, where files grow: the embedded adapters' folder, and the folder for temporary files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dam.doctor.findings import Finding, Tell, Verdict
from dam.doctor.places import folder_of, standing_part
from dam.threads import run_apart

if TYPE_CHECKING:
    from dam.doctor.settings import DoctorSettings

_BROKEN_SHARE: Final = 4
_REMEDY: Final = "Make room there; DAM_DATA_DIR and TMPDIR name other places."


async def check_disk(settings: DoctorSettings, tell: Tell) -> None:
    """One finding for each of these folders; those on one disk together."""
    wanted = [Path(tempfile.gettempdir())]
    if (folder := folder_of(settings.store_url)) is not None:
        wanted.append(folder)
    if settings.queue_url.get_secret_value().startswith("sqlite:"):
        wanted.append(settings.data_dir.absolute())
    for places, free in (await run_apart(lambda: _measure(wanted))).values():
        tell(_judge(places, free, settings.doctor_min_free_bytes))


def _measure(wanted: list[Path]) -> dict[int, tuple[list[Path], int]]:
    """By disk: what lies on it, and its free bytes."""
    disks: dict[int, tuple[list[Path], int]] = {}
    for path in dict.fromkeys(wanted):
        place = standing_part(path)
        on, _ = disks.setdefault(place.stat().st_dev, ([], shutil.disk_usage(place).free))
        on.append(path)
    return disks


def _judge(places: list[Path], free: int, least: int) -> Finding:
    told = f"{free / (1 << 30):,.2f} GiB free for {' and '.join(map(str, places))}"
    if free >= least:
        return Finding("disk", Verdict.WELL, f"{told}.")
    verdict = Verdict.BROKEN if free < least / _BROKEN_SHARE else Verdict.WARNING
    return Finding("disk", verdict, f"Only {told}; {least / (1 << 30):,.2f} GiB are wanted.", _REMEDY)
