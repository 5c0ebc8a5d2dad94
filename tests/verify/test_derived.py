"""The table's own files, the snapshot and the search index: damaged, found, and published anew."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dam import keys
from dam.catalogue.storage import TableHandle
from dam.maintenance.upkeep import compact, make_checkpoint, vacuum
from dam.search.state import LAYOUT, IndexState
from dam.store.delta import delta_location
from tests.maintenance.rows import make_row
from tests.verify.test_findings import fill

if TYPE_CHECKING:
    from dam.verify import Report
    from tests.verify.bucket import Verified

LOG = f"{keys.TABLE}/_delta_log/"


def open_table(bucket: Verified) -> TableHandle:
    return TableHandle.open(*delta_location(bucket.maintenance))


async def data_files(bucket: Verified) -> list[str]:
    """Keys of the table's data files, oldest first."""
    found = [item async for item in bucket.store.list(f"{keys.TABLE}/part-")]
    return [item.key for item in sorted(found, key=lambda item: item.last_modified)]


def kinds(report: Report) -> set[str]:
    return {finding.kind.value for finding in report.findings}


async def test_a_lost_file_of_the_newest_version(verified: Verified) -> None:
    """It is named, with what to do; nothing else can be said of such a bucket."""
    await fill(verified)
    active = open_table(verified).delta.file_uris()
    lost = f"{keys.TABLE}/{active[0].rpartition('/')[2]}"
    await verified.store.delete(lost)
    report = await verified.verify(repair=True)
    [finding] = [item for item in report.findings if item.kind.value == "table_file"]
    assert finding.key == lost
    assert "up to the newest" in finding.problem
    assert report.skipped
    assert not report.is_clean


async def test_a_cut_file(verified: Verified) -> None:
    """Its length is in the log."""
    await fill(verified)
    active = open_table(verified).delta.file_uris()
    cut = f"{keys.TABLE}/{active[0].rpartition('/')[2]}"
    data = (await verified.store.get(cut)).data
    await verified.store.put(cut, data[:-1])
    report = await verified.verify()
    assert (report.findings[0].kind.value, report.findings[0].key) == ("table_file", cut)


async def test_a_lost_file_of_an_older_version(verified: Verified) -> None:
    """Compaction has replaced it; the versions before can be read no more, everything else was checked."""
    await verified.add("a red boat")
    await verified.add("a blue boat")
    lost = (await data_files(verified))[0]
    settings = verified.maintenance.model_copy(update={"compaction_min_files": 2})
    assert compact(open_table(verified), settings)
    await verified.publish()
    await verified.store.delete(lost)
    report = await verified.verify()
    assert [(item.kind.value, item.key) for item in report.findings] == [("table_file", lost)]
    assert "versions 1 to 2 cannot be read" in report.findings[0].problem
    assert not report.skipped
    assert await verified.found(quick=True) == await verified.found()


async def test_what_vacuum_and_a_tidied_log_leave_is_in_order(verified: Verified) -> None:
    """Files that a vacuum was allowed to take, and log entries before a checkpoint, are not missed."""
    await fill(verified)
    settings = verified.maintenance.model_copy(update={"compaction_min_files": 2})
    handle = open_table(verified)
    assert compact(handle, settings)
    handle.delta.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
    make_checkpoint(handle, settings)
    await verified.add("a yellow boat")
    vacuum(handle, settings)
    await verified.publish()
    assert await verified.found() == []
    oldest = [item.key async for item in verified.store.list(LOG)][:3]
    for key in oldest:
        await verified.store.delete(key)
    assert await verified.found() == []


@pytest.mark.parametrize("damage", ["lost", "broken"])
async def test_a_log_entry(verified: Verified, damage: str) -> None:
    """Lost or unreadable: the version is named."""
    await fill(verified)
    key = f"{LOG}{3:020}.json"
    if damage == "lost":
        await verified.store.delete(key)
    else:
        await verified.store.put(key, b"{")
    report = await verified.verify()
    wrong = [item for item in report.findings if item.kind.value == "table_log"]
    assert [item.key for item in wrong] == [key]
    assert not report.is_clean


async def test_a_table_that_is_gone(verified: Verified) -> None:
    """There are originals and no catalogue: nobody calls that clean."""
    await fill(verified)
    for key in [item.key async for item in verified.store.list(f"{keys.TABLE}/")]:
        await verified.store.delete(key)
    report = await verified.verify()
    assert "no catalogue" in report.skipped[0]
    assert not report.is_clean


async def test_revisions_that_are_there_twice(verified: Verified) -> None:
    """Two writers both won: such an asset is named."""
    row = await verified.add("a red boat")
    open_table(verified).append([make_row(row.id, 1)], "a-second-writer")
    await verified.publish()
    assert "row_revisions" in kinds(await verified.verify())


async def test_a_snapshot_that_is_wrong(verified: Verified) -> None:
    """Missing, cut, of another table: found, published anew, and in order then."""
    await fill(verified)
    right = (await verified.store.get(keys.SNAPSHOT)).data
    for wrong in (None, right[:-20], b""):
        if wrong is None:
            await verified.store.delete(keys.SNAPSHOT)
        else:
            await verified.store.put(keys.SNAPSHOT, wrong)
        assert await verified.found() == [("snapshot", keys.SNAPSHOT)]
        report = await verified.verify(repair=True)
        assert [item.mending.value for item in report.findings] == ["mended"]
        assert await verified.found() == []


async def test_a_snapshot_whose_rows_are_not_the_tables(verified: Verified) -> None:
    """The footer names a version that has other rows."""
    await fill(verified)
    await verified.store.put(keys.SNAPSHOT, forge((await verified.store.get(keys.SNAPSHOT)).data))
    [finding] = (await verified.verify()).findings
    assert finding.kind.value == "snapshot"
    assert "Its rows differ" in finding.problem
    await verified.verify(repair=True)
    assert await verified.found() == []


async def test_an_older_snapshot_is_in_order(verified: Verified) -> None:
    """It shows the version that it names; maintenance brings the next."""
    await fill(verified)
    await verified.add("a yellow boat")
    assert await verified.found() == []


async def test_the_search_index(verified: Verified) -> None:
    """A cursor that is ahead of the table, cannot be read, or whose table is gone."""
    await fill(verified)
    table = open_table(verified)
    state = IndexState(
        layout=LAYOUT,
        table="index-1",
        catalogue=str(table.delta.metadata().id),
        version=table.delta.version(),
        model=None,
        dim=1,
        rows=1,
        updated_at=datetime.now(UTC),
    )
    await verified.store.put(keys.SEARCH_STATE, state.model_dump_json().encode())
    wrong = [("index", keys.SEARCH_STATE)]
    assert await verified.found() == wrong, "its table is not there"
    await verified.store.put("search/index-1.lance/data/1.lance", b"x")
    assert await verified.found() == []
    ahead = state.model_copy(update={"version": state.version + 1})
    for body in (ahead.model_dump_json().encode(), b"{"):
        await verified.store.put(keys.SEARCH_STATE, body)
        assert await verified.found() == wrong


def forge(snapshot: bytes) -> bytes:
    """The same snapshot with another caption in its first row."""
    with pq.ParquetFile(io.BytesIO(snapshot)) as file:
        table, said = file.read(), file.metadata.metadata
    at = table.column_names.index("caption")
    captions = ["forged", *table["caption"].to_pylist()[1:]]
    forged = table.set_column(at, table.field("caption"), pa.array(captions, pa.string()))
    buffer = io.BytesIO()
    footer = {key.decode(): value.decode() for key, value in said.items() if key.startswith(b"dam.")}
    with pq.ParquetWriter(buffer, forged.schema) as writer:
        writer.write_table(forged)
        writer.add_key_value_metadata(footer)
    return buffer.getvalue()
