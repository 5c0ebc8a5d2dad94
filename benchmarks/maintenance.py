"""Resident memory of `dam maintain`, and how long its work takes: `python -m benchmarks.maintenance`.

A table of many small commits, with vectors of 512 floats, on the embedded store; then the real process with
its own settings, but for how often it looks for small files. Phases: a first start (snapshot from the whole
table, search index, compaction), rows that come while it runs (snapshots merged), and a quiet spell.
`--quick` takes a tenth of the rows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.resident import MB, Watch
from dam import keys
from dam.catalogue.row import Row
from dam.catalogue.storage import LostRaceError, TableHandle
from dam.ids import new_id
from dam.maintenance.settings import MaintenanceSettings
from dam.store.delta import delta_location
from tests.maintenance.processes import Maintainer, environment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS: Final = 100_000
QUICK_ROWS: Final = 10_000
COMMIT_ROWS: Final = 256
DIMENSION: Final = 512
LATER_COMMITS: Final = 20
PATIENCE_S: Final = 120.0


def make_rows(count: int, numbers: np.random.Generator) -> list[Row]:
    """Enriched assets as the orchestrator writes them; one in fifty failed."""
    vectors = numbers.standard_normal((count, DIMENSION), dtype=np.float32)
    return [_make_row(vectors[at].tolist(), failed=at % 50 == 0) for at in range(count)]


def _make_row(vector: list[float], *, failed: bool) -> Row:
    asset_id, now = new_id(), datetime.now(UTC)
    return Row(
        id=asset_id,
        filename=f"IMG_{random.randrange(10**6)}.jpg",  # noqa: S311 - not a secret, as below
        r2_key=keys.original(asset_id, "jpg"),
        vector_key=keys.vector(asset_id),
        mime_type="image/jpeg",
        caption=" ".join(f"word{random.randrange(3000)}" for _ in range(8)),  # noqa: S311
        revision=1,
        change_id=new_id(),
        event="enriched",
        recorded_at=now,
        received_at=now,
        actor="orchestrator",
        status="failed" if failed else "ready",
        asset_type="image",
        size_bytes=random.randrange(10**7),  # noqa: S311
        sha256=random.randbytes(32).hex(),  # noqa: S311
        width=640,
        height=480,
        caption_by="captioner@1",
        embedding_by="embedder@1",
        placeholder=random.randbytes(24).hex(),  # noqa: S311
        embedding=vector,
        attempts=1,
    )


def append(settings: MaintenanceSettings, rows: int) -> None:
    """As many commits as that takes."""
    handle = TableHandle.open(*delta_location(settings))
    numbers = np.random.default_rng(1)
    for at in range(0, rows, COMMIT_ROWS):
        made = make_rows(min(COMMIT_ROWS, rows - at), numbers)
        while True:
            handle.refresh()
            with contextlib.suppress(LostRaceError):
                handle.append(made, new_id())
                break


async def measure(rows: int, folder: Path) -> dict[str, Any]:
    """Fill the table, start the process, and note peaks and durations by phase."""
    settings = MaintenanceSettings(data_dir=folder)
    await asyncio.to_thread(append, settings, rows)
    table_mb = sum(path.stat().st_size for path in _data_files(settings)) / MB
    environment = environment_of(settings, DAM_COMPACTION_INTERVAL_S="10", DAM_COMPACTION_MIN_FILES="16")
    maintainer = await asyncio.to_thread(Maintainer, environment, folder / "log")
    watch = Watch({"maintain": maintainer.process.pid})
    peaks: dict[str, float] = {}
    try:
        async with watch.over():
            await _logged(maintainer, "catalogue.compacted")
        peaks["first_start"] = watch.peaks_mb()["maintain"]
        async with watch.over():
            await asyncio.to_thread(append, settings, LATER_COMMITS * COMMIT_ROWS)
            await asyncio.sleep(15)
        peaks["rows_coming"] = watch.peaks_mb()["maintain"]
        async with watch.over():
            await asyncio.sleep(5)
        peaks["quiet"] = watch.peaks_mb()["maintain"]
    finally:
        maintainer.process.terminate()
        await asyncio.to_thread(maintainer.process.wait)
    published = [line for line in maintainer.lines() if line["event"] == "snapshot.published"]
    [compacted] = [line for line in maintainer.lines() if line["event"] == "catalogue.compacted"][:1]
    return {
        "rows": rows,
        "table_mb": round(table_mb, 1),
        "snapshot_mb": round(published[-1]["bytes"] / MB, 1),
        "snapshot_rows": published[-1]["rows"],
        "peak_mb": peaks,
        "peak_to_table": round(max(peaks.values()) / table_mb, 3),
        "rebuild_s": published[0]["seconds"],
        "merge_s": [line["seconds"] for line in published[1:]],
        "merge_lag_s": [line["lag_s"] for line in published[1:]],
        "compaction_s": compacted["seconds"],
        "files_compacted": compacted["files_removed"],
    }


async def _logged(maintainer: Maintainer, event: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while event not in maintainer.events():  # noqa: ASYNC110 - another process's log
            await asyncio.sleep(0.1)


def _data_files(settings: MaintenanceSettings) -> Iterator[Path]:
    return Path(delta_location(settings)[0]).glob("*.parquet")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    rows = QUICK_ROWS if parser.parse_args().quick else ROWS
    with tempfile.TemporaryDirectory(prefix="dam-maintenance-") as folder:
        print(json.dumps(asyncio.run(measure(rows, Path(folder)))))


if __name__ == "__main__":
    main()
