"""Compaction, checkpoints, log and vacuum: they lose nothing, and writers go on beside them."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from dam import keys
from dam.catalogue import Catalogue, Change, Committed
from dam.catalogue.storage import TableHandle
from dam.ids import new_id
from dam.maintenance.upkeep import Upkeep, choose_target, compact, make_checkpoint, vacuum
from dam.maintenance.worker import Worker
from dam.store.delta import delta_location
from tests.maintenance.rows import IDS, Bench, make_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dam.maintenance.settings import MaintenanceSettings

DAY_S = 24 * 3600
COMMITTERS = 4


def fill(bench: Bench, commits: int) -> list[str]:
    """One row in each commit, and so one small file."""
    ids = [new_id() for _ in range(commits)]
    for asset_id in ids:
        bench.append(make_row(asset_id))
    bench.handle.refresh()
    return ids


def read_ids(handle: TableHandle) -> list[str]:
    """Every row's id, sorted."""
    return sorted(row["id"] for row in handle.scan(["id"]).read_all().to_pylist())


def folder_of(bench: Bench) -> Path:
    """Where the table lies."""
    return Path(bench.store.url, keys.TABLE)


def make_older(paths: Iterable[Path], days: float) -> None:
    """As if the files had been written so many days ago."""
    then = time.time() - days * DAY_S
    for path in paths:
        os.utime(path, (then, then))


def test_many_small_files_become_one(either_bench: Bench) -> None:
    """The rows stay the same, in one file, and an older version can still be read."""
    ids = fill(either_bench, 8)
    version = either_bench.handle.delta.version()
    settings = either_bench.settings.model_copy(update={"compaction_min_files": 8})
    assert compact(either_bench.handle, settings)
    assert len(either_bench.handle.delta.file_uris()) == 1
    assert read_ids(either_bench.handle) == ids
    vectors = either_bench.handle.scan(["embedding"]).read_all()["embedding"].to_pylist()
    assert vectors == [[0.5] * 4] * 8
    uri, options = delta_location(settings)
    before = DeltaTable(uri, version=version, storage_options=options)
    assert len(before.file_uris()) == 8
    assert pa.RecordBatchReader.from_stream(before.scan(["id"])).read_all().num_rows == 8


def test_few_small_files_are_left_alone(bench: Bench) -> None:
    """Rewriting is not worth while for a handful."""
    fill(bench, 7)
    assert not compact(bench.handle, bench.settings.model_copy(update={"compaction_min_files": 8}))
    assert len(bench.handle.delta.file_uris()) == 7


def test_a_checkpoint_keeps_the_log_of_the_last_days(bench: Bench) -> None:
    """Log entries go that are older than a week and in a checkpoint as old; the table is what it was."""
    log = folder_of(bench) / "_delta_log"
    ids = fill(bench, 4)
    make_checkpoint(bench.handle, bench.settings)
    old = list(log.iterdir())
    make_older(old, 8)
    ids += fill(bench, 4)
    younger = set(log.glob("*.json")) - set(old)
    make_older(younger, 6)
    make_checkpoint(bench.handle, bench.settings)
    left = set(log.glob("*.json"))
    assert left >= younger
    assert len(left & set(old)) <= 1  # the entry of the checkpoint itself may stay
    assert read_ids(TableHandle.open(*delta_location(bench.settings))) == ids


def test_a_handle_that_slept_through_a_cleanup_wakes_up(bench: Bench) -> None:
    """A writer that was idle for weeks refreshes over log entries that are gone."""
    log = folder_of(bench) / "_delta_log"
    ids = fill(bench, 3)
    sleeper = TableHandle.open(*delta_location(bench.settings))
    ids += fill(bench, 3)
    needed = set(log.glob("*.json"))
    make_checkpoint(bench.handle, bench.settings)
    make_older(log.iterdir(), 30)
    ids += fill(bench, 3)
    make_checkpoint(bench.handle, bench.settings)
    assert not any(path.exists() for path in needed)
    sleeper.refresh()
    assert read_ids(sleeper) == ids


def test_vacuum_removes_what_no_version_of_the_last_week_needs(bench: Bench) -> None:
    """Replaced files and those of commits that never were: gone when old, kept while young."""
    ids = fill(bench, 4)
    folder = folder_of(bench)
    orphan, young_orphan = folder / "part-orphan.parquet", folder / "part-young.parquet"
    for path in (orphan, young_orphan):
        path.write_bytes(b"PAR1")
    make_older([orphan], 8)
    replaced = [path for path in folder.glob("part-*") if path not in {orphan, young_orphan}]
    compact(bench.handle, bench.settings.model_copy(update={"compaction_min_files": 2}))
    vacuum(bench.handle, bench.settings)
    assert not orphan.exists()
    assert young_orphan.exists()
    assert all(path.exists() for path in replaced)  # compacted a moment ago
    assert read_ids(bench.handle) == ids


def test_nothing_may_be_kept_for_less_than_a_week(settings: MaintenanceSettings) -> None:
    """A setting below seven days is refused."""
    with pytest.raises(ValueError, match="keep_days"):
        type(settings)(data_dir=settings.data_dir, keep_days=6)


async def test_writers_go_on_beside_all_of_it(
    either_settings: MaintenanceSettings, either_bench: Bench
) -> None:
    """Four committers race against compaction, checkpoints and vacuum: every row is there, once."""
    settings = either_settings.model_copy(
        update={
            "compaction_interval_s": 0.05,
            "compaction_min_files": 4,
            "checkpoint_every": 3,
            "vacuum_first_s": 0.0,
            "vacuum_interval_s": 0.5,
        }
    )
    stop = asyncio.Event()
    upkeep = asyncio.create_task(_keep_up(settings, stop))
    catalogues = [await Catalogue.open(settings) for _ in range(COMMITTERS)]
    made = await asyncio.gather(*(_commit(catalogue, 3) for catalogue in catalogues))
    stop.set()
    done = await upkeep
    shared = [outcome for outcomes in made for outcome in outcomes]
    assert all(isinstance(outcome, Committed) for outcome in shared)
    either_bench.handle.refresh()
    rows = either_bench.handle.read_revisions([row.row.id for row in shared if isinstance(row, Committed)])
    assert {(row.id, row.revision) for revisions in rows.values() for row in revisions} == {
        (outcome.row.id, outcome.row.revision) for outcome in shared if isinstance(outcome, Committed)
    }
    assert either_bench.handle.scan(["id"]).read_all().num_rows == len(shared)
    assert "OPTIMIZE" in done
    for catalogue in catalogues:
        await catalogue.close()


async def _commit(catalogue: Catalogue, commits: int) -> list[object]:
    """Two rows in each commit: a new asset, then its second revision."""
    outcomes: list[object] = []
    for _ in range(commits):
        asset_id = new_id()
        for revision in (0, 1):
            change = Change(asset_id, new_id(), revision, "enriched", "ready", "orchestrator")
            outcomes += await catalogue.commit([change])
    return outcomes


async def _keep_up(settings: MaintenanceSettings, stop: asyncio.Event) -> set[str]:
    """Upkeep without a pause; which operations it left in the table's history."""
    worker = Worker("test")
    handle = await worker.run(TableHandle.open, *delta_location(settings))
    upkeep = Upkeep(handle, worker, settings)
    while not stop.is_set():
        await upkeep.step()
        await asyncio.sleep(0.2)
    await worker.run(handle.refresh)
    operations = {str(entry["operation"]) for entry in await worker.run(handle.list_commits, 0)}
    worker.close()
    return operations


def test_an_empty_table_needs_nothing(bench: Bench) -> None:
    """A bucket without a row is kept in order too."""
    assert not compact(bench.handle, bench.settings)
    make_checkpoint(bench.handle, bench.settings)
    assert vacuum(bench.handle, bench.settings) == []
    bench.append(make_row(IDS[0]))
    assert read_ids(TableHandle.open(*delta_location(bench.settings))) == IDS[:1]


@pytest.mark.parametrize(
    ("sizes_kib", "target_mib"),
    [
        ([64] * 63, None),
        ([64] * 64, 4),
        ([64] * 64 + [4096] * 63, 4),
        ([64] * 64 + [4096] * 64, 64),
        ([4096] * 128, 64),
        ([4096] * 127 + [64] * 10 + [65536] * 500, 64),
        ([4096] * 100 + [65536] * 500, None),
    ],
)
def test_small_files_are_merged_often_and_middling_ones_seldom(
    bench: Bench, sizes_kib: list[int], target_mib: int | None
) -> None:
    """64 small files become middling ones; only 128 of both become large ones, whose rows are left alone."""
    sizes = pa.chunked_array([[kib << 10 for kib in sizes_kib]])
    chosen = choose_target(sizes, bench.settings)
    assert chosen == (None if target_mib is None else target_mib << 20)
