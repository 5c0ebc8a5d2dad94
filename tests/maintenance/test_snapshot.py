"""The published snapshot: what is in it, and that an older one never replaces a newer."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from dam import keys
from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.ids import new_id
from dam.maintenance import upkeep
from dam.maintenance.settings import MaintenanceSettings
from dam.maintenance.snapshot_build import SnapshotBuilder
from tests.fakes.store import MemoryStore
from tests.maintenance.rows import IDS, Bench, current, holds, make_row

if TYPE_CHECKING:
    from dam.catalogue.row import Status

STATUSES: list[Status] = ["ready", "failed", "deleted"]
PLANS = st.lists(
    st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(STATUSES)), min_size=1, max_size=8), max_size=5
)


async def test_it_has_one_row_for_each_live_asset(either_bench: Bench) -> None:
    """The newest revision of each, sorted by id; what failed or was deleted is left out, and vectors are."""
    rows = [make_row(asset_id) for asset_id in reversed(IDS)]
    rows += [make_row(IDS[1], 2, "failed"), make_row(IDS[2], 2, "deleted"), make_row(IDS[3], 2)]
    either_bench.append(*rows[:12])
    publisher = either_bench.publisher()
    await publisher.step()
    version = either_bench.append(*rows[12:])
    with capture_logs() as told:
        await publisher.step()
    assert [entry["event"] for entry in told] == ["snapshot.published"]  # merged, not rebuilt
    table = await either_bench.read_snapshot()
    assert table.schema.equals(SNAPSHOT_SCHEMA)
    assert {row["id"]: row["revision"] for row in table.to_pylist()} == {
        asset_id: row.revision for asset_id, row in current(rows).items()
    }
    assert table["id"].to_pylist() == sorted(table["id"].to_pylist())
    assert table.to_pylist()[0]["tags"] == ["a", "b"]
    assert await either_bench.read_version() == version


async def test_common_readers_open_it(bench: Bench) -> None:
    """DuckDB, pandas and Polars read the file as it lies in the folder."""
    bench.append(*[make_row(asset_id, caption=f"picture {asset_id}") for asset_id in IDS])
    await bench.publisher().step()
    path = str(Path(bench.store.url, keys.SNAPSHOT))
    expected = [f"picture {asset_id}" for asset_id in IDS]
    assert duckdb.connect().read_parquet(path).project("caption").fetchall() == [(text,) for text in expected]
    assert list(pd.read_parquet(path)["caption"]) == expected
    assert pl.read_parquet(path)["caption"].to_list() == expected


@settings(deadline=None, max_examples=25)
@given(plan=PLANS, compacted=st.booleans())
def test_a_merge_is_what_a_rebuild_would_be(plan: list[list[tuple[str, Status]]], *, compacted: bool) -> None:
    """Merging commit after commit gives the very rows that reading the whole table gives."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench.open(MaintenanceSettings(data_dir=folder), MemoryStore(), folder / "temporary")
        bench.folder.mkdir()
        builder = SnapshotBuilder(bench.handle, bench.settings, lambda: None)
        path, footer = folder / "0", None
        revisions = dict.fromkeys(IDS, 0)
        for number, commit in enumerate(plan):
            rows = []
            for asset_id, status in commit:
                revisions[asset_id] += 1
                rows.append(make_row(asset_id, revisions[asset_id], status))
            bench.append(*rows)
            if compacted:
                upkeep.compact(bench.handle, bench.settings.model_copy(update={"compaction_min_files": 2}))
            with capture_logs() as told:
                footer = builder.build(folder / f"{number + 1}", path, footer)
            assert told == [entry for entry in told if entry["event"] == "catalogue.compacted"]
            path = folder / f"{number + 1}"
        builder.build(folder / "rebuilt", path, None)
        if footer:
            assert pq.read_table(path).equals(pq.read_table(folder / "rebuilt"))


async def test_two_publishers_at_once_end_with_the_newest(either_bench: Bench) -> None:
    """Whoever comes second is refused and reads again: what is published in the end has every row."""
    either_bench.append(make_row(IDS[0]))
    slow, quick = either_bench.publisher(), either_bench.publisher()
    await slow.step()
    await quick.step()
    either_bench.append(make_row(IDS[1]))
    building = asyncio.create_task(slow.step())
    version = either_bench.append(make_row(IDS[2]))
    await quick.step()
    await building
    for publisher in (slow, quick, slow):
        await publisher.step()
    assert await either_bench.read_version() == version
    assert await holds(either_bench, 3)


async def test_a_restart_goes_on_from_what_is_published(bench: Bench) -> None:
    """A new process merges; it neither rebuilds nor publishes what is there already."""
    bench.append(make_row(IDS[0]))
    await bench.publisher().step()
    etag = (await bench.store.head(keys.SNAPSHOT)).etag
    await bench.publisher().step()
    assert (await bench.store.head(keys.SNAPSHOT)).etag == etag
    bench.append(make_row(IDS[1]))
    with capture_logs() as told:
        await bench.publisher().step()
    assert [entry["event"] for entry in told] == ["snapshot.found", "snapshot.published"]
    assert await holds(bench, 2)


async def test_more_rows_than_memory_make_the_same_snapshot(bench: Bench) -> None:
    """With a tiny sorting budget, runs go through files, which are gone afterwards."""
    rows = [make_row(new_id(), caption="long " * 50) for _ in range(600)]
    for at in range(0, 600, 100):
        bench.append(*reversed(rows[at : at + 100]))
    await bench.publisher(sort_memory_bytes=20_000).step()
    table = await bench.read_snapshot()
    assert table["id"].to_pylist() == sorted(row.id for row in rows)
    assert len(list(bench.folder.iterdir())) == 1  # the copy of what is published
