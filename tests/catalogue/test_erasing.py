"""Erasing the rows of purged assets, beside writers and compaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from deltalake import DeltaTable

from dam.catalogue import Catalogue, Committed
from dam.catalogue.erasing import IDS_AT_ONCE
from dam.catalogue.feed import read_changes
from dam.catalogue.storage import TableHandle
from dam.ids import new_id
from dam.maintenance.settings import MaintenanceSettings
from dam.maintenance.upkeep import compact
from dam.store.delta import delta_location
from tests.catalogue.changes import change
from tests.catalogue.rows import enrich

if TYPE_CHECKING:
    from pathlib import Path

    from dam.settings import DamSettings


async def purge(catalogue: Catalogue, *ids: str) -> None:
    outcomes = await catalogue.commit(
        [change(key, 1, "purged", status="deleted", caption=None) for key in ids]
    )
    assert all(isinstance(outcome, Committed) for outcome in outcomes)


async def test_only_purged_assets_lose_rows(catalogue: Catalogue) -> None:
    """Whoever names others, or ids that nobody knows, harms nothing; a repeat finds nothing left."""
    gone, live = await enrich(catalogue, 2, caption="a red boat")
    await purge(catalogue, gone.id)
    assert await catalogue.erase([gone.id, live.id, new_id()]) == 1
    assert [row.revision for row in await catalogue.history(gone.id)] == [2]
    assert [row.caption for row in await catalogue.history(live.id)] == ["a red boat"]
    version = await catalogue.version()
    assert await catalogue.erase([gone.id, live.id]) == 0
    assert await catalogue.version() == version


async def test_more_ids_than_one_delete_takes(tmp_path: Path) -> None:
    """Each is found, wherever it stands among thousands of names."""
    catalogue = await Catalogue.open(MaintenanceSettings(data_dir=tmp_path))
    try:
        first, *_, last = await enrich(catalogue, 40)
        await purge(catalogue, first.id, last.id)
        strangers = [new_id() for _ in range(2 * IDS_AT_ONCE)]
        assert await catalogue.erase([first.id, *strangers, last.id]) == 2
        assert len(await catalogue.history(first.id)) == 1
    finally:
        await catalogue.close()


async def test_writers_go_on_while_rows_are_erased(catalogue: Catalogue, settings: DamSettings) -> None:
    """Another process commits without a pause: it loses nothing, and the rows go all the same."""
    rows = await enrich(catalogue, 30)
    doomed = [row.id for row in rows[::2]]
    await purge(catalogue, *doomed)
    other = await Catalogue.open(settings)
    edited = rows[1].id
    written: list[int] = []

    async def write() -> None:
        while len(written) < 20:
            [outcome] = await other.commit([change(edited, len(written) + 1, "edited")])
            assert isinstance(outcome, Committed)
            written.append(outcome.row.revision)

    try:
        writing = asyncio.create_task(write())
        while len(written) < 3:  # noqa: ASYNC110 - the other writer offers no event
            await asyncio.sleep(0.005)
        assert await catalogue.erase(doomed) == len(doomed)
        await catalogue.vacuum_dropped()
        await writing
    finally:
        await other.close()
    assert [row.revision for row in await catalogue.history(edited)] == list(range(1, 22))
    assert {len(history) for history in (await catalogue.histories(doomed)).values()} == {1}


async def test_a_compaction_meanwhile_brings_no_row_back(tmp_path: Path) -> None:
    """Whichever of the two is first, the other starts again or loses."""
    settings = MaintenanceSettings(data_dir=tmp_path, compaction_min_files=2)
    catalogue = await Catalogue.open(settings)
    try:
        rows = [(await enrich(catalogue, 1))[0] for _ in range(12)]
        doomed = [row.id for row in rows[::3]]
        await purge(catalogue, *doomed)
        tender = TableHandle.open(*delta_location(settings))
        loop = asyncio.get_running_loop()
        compacting = loop.run_in_executor(None, compact, tender, settings)
        erased = await catalogue.erase(doomed)
        await asyncio.wait([compacting])
        assert erased == len(doomed)
        assert {len(history) for history in (await catalogue.histories(doomed)).values()} == {1}
        assert len(await catalogue.histories([row.id for row in rows])) == 12
    finally:
        await catalogue.close()


async def test_the_feed_tells_of_no_row_that_was_erased(catalogue: Catalogue, settings: DamSettings) -> None:
    """Whoever follows the table sees the `purged` row, and the copies of its neighbours are no news."""
    gone, _ = await enrich(catalogue, 2)
    before = await catalogue.version()
    await purge(catalogue, gone.id)
    await catalogue.erase([gone.id])
    handle = TableHandle.open(*delta_location(settings))
    batches = read_changes(handle, before, handle.refresh(), ["id", "event"])
    assert [(row["id"], row["event"]) for batch in batches for row in batch.to_pylist()] == [
        (gone.id, "purged")
    ]


async def test_a_vacuum_leaves_what_no_version_has_named_yet(tmp_path: Path) -> None:
    """A file without a commit may be one that is just being made."""
    settings = MaintenanceSettings(data_dir=tmp_path)
    catalogue = await Catalogue.open(settings)
    try:
        gone, live = await enrich(catalogue, 2)
        await purge(catalogue, gone.id)
        uri, _ = delta_location(settings)
        coming = tmp_path / "bucket" / "metadata" / "images" / "part-00000-coming.parquet"
        coming.write_bytes(b"half a file")
        await catalogue.erase([gone.id])
        assert await catalogue.vacuum_dropped() == 1
        assert coming.exists()
        assert len(DeltaTable(uri).file_uris()) == 2
        assert len(await catalogue.history(live.id)) == 1
    finally:
        await catalogue.close()
