"""The published snapshot under faults: older knowledge, damage, vacuumed feeds, limits and outages."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from structlog.testing import capture_logs

from dam import keys
from dam.errors import CatalogueUnavailableError, StoreUnavailableError
from dam.ids import new_id
from dam.maintenance import snapshot_file
from tests.fakes.store import MemoryStore
from tests.maintenance.rows import IDS, Bench, holds, make_row

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def out_of_reach(folder: Path, aside: Path) -> Iterator[None]:
    """A folder is away, and a file lies in its place."""
    shutil.move(folder, aside)
    folder.write_text("no folder")
    try:
        yield
    finally:
        folder.unlink()
        shutil.move(aside, folder)


async def test_an_older_snapshot_never_replaces_a_newer(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A publisher whose own knowledge is old is refused by the store and starts from what is there."""
    bench.append(make_row(IDS[0]))
    old, new = bench.publisher(), bench.publisher()
    await old.step()
    await new.step()
    old_version = bench.append(make_row(IDS[1]))
    await old._look()  # it has seen this version, and is suspended here
    version = bench.append(make_row(IDS[2]))
    await new.step()
    known = old._base

    async def look() -> object:
        return known

    monkeypatch.setattr(old, "_look", look)  # it wakes up with what it knew
    with capture_logs() as told:
        await old.step()
    assert [entry["event"] for entry in told] == ["snapshot.superseded"]
    assert old_version < version == await bench.read_version()


@pytest.mark.parametrize("damage", ["not parquet", "other columns", "another table's", "damaged"])
async def test_what_cannot_be_merged_is_replaced(bench: Bench, tmp_path: Path, damage: str) -> None:
    """A file that is no snapshot of this table gives way to one that was read from the table alone."""
    bench.append(*[make_row(asset_id) for asset_id in IDS])
    await bench.publisher().step()
    if damage == "not parquet":
        data = b"hello"
    elif damage == "other columns":
        pq.write_table(pa.table({"id": ["a"]}), tmp_path / "other")
        data = (tmp_path / "other").read_bytes()
    elif damage == "another table's":
        rows = iter([(await bench.read_snapshot()).slice(0, 1)])
        snapshot_file.write(
            tmp_path / "other", rows, table_id="x", version=1, max_bytes=1 << 20, check=lambda: None
        )
        data = (tmp_path / "other").read_bytes()
    else:
        whole = (await bench.store.get(keys.SNAPSHOT)).data
        data = whole[:100] + b"\xff" * 20 + whole[120:]
    await bench.store.put(keys.SNAPSHOT, data)
    bench.append(make_row(IDS[0], 2))
    await bench.publisher().step()
    assert await holds(bench, len(IDS))
    assert (await bench.read_snapshot())["revision"].to_pylist()[0] == 2


async def test_a_feed_that_was_vacuumed_means_a_rebuild(bench: Bench) -> None:
    """Rows whose files in the change feed are gone are read from the table instead."""
    bench.append(make_row(IDS[0]))
    publisher = bench.publisher()
    await publisher.step()
    for asset_id in IDS[1:]:
        bench.append(make_row(asset_id))
    bench.handle.delta.optimize.compact()
    bench.handle.delta.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    with capture_logs() as told:
        await publisher.step()
    assert [entry["event"] for entry in told] == ["snapshot.rebuilding", "snapshot.published"]
    assert await holds(bench, len(IDS))


async def test_above_its_limit_it_stops_and_says_so(bench: Bench) -> None:
    """A snapshot that would not fit one PUT is not published; the one before stays, and the table goes on."""
    bench.append(make_row(IDS[0]))
    await bench.publisher().step()
    bench.append(*[make_row(new_id(), caption=os.urandom(40).hex()) for _ in range(500)])
    publisher = bench.publisher(snapshot_max_bytes=10_000)
    with capture_logs() as told:
        await publisher.step()
        await publisher.step()
    assert [entry["event"] for entry in told].count("snapshot.too_large") == 1
    assert await holds(bench, 1)
    assert bench.append(make_row(new_id())) > 0


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_an_unclear_put_is_settled_by_reading_back(memory_bench: Bench, lost: str) -> None:
    """After a put whose answer was lost, the next step finds out what is there and goes on from it."""
    memory_bench.append(make_row(IDS[0]))
    publisher = memory_bench.publisher()
    await publisher.step()
    memory_bench.append(make_row(IDS[1]))
    assert isinstance(memory_bench.store, MemoryStore)
    memory_bench.store.lost_puts.append(lost)
    with pytest.raises(StoreUnavailableError):
        await publisher.step()
    with capture_logs() as told:
        await publisher.step()
    assert await holds(memory_bench, 2)
    # What never happened costs no second download.
    assert [entry["event"] for entry in told] == [
        "snapshot.published" if lost == "before" else "snapshot.found"
    ]
    assert len(list(memory_bench.folder.iterdir())) == 1


async def test_an_outage_of_the_table_is_told_and_survived(bench: Bench, tmp_path: Path) -> None:
    """While the table cannot be read, each step says so; afterwards the snapshot goes on."""
    bench.append(make_row(IDS[0]))
    publisher = bench.publisher()
    await publisher.step()
    bench.append(make_row(IDS[1]))
    log = Path(bench.store.url, keys.TABLE, "_delta_log")
    with out_of_reach(log, tmp_path / "away"), pytest.raises(CatalogueUnavailableError):
        await publisher.step()
    await publisher.step()
    assert await holds(bench, 2)
