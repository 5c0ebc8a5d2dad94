"""The table in a folder and in a bucket: commits, histories, other processes' handles, closing."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dam.catalogue import Catalogue, Committed, Refused, Repeated, Row, Stale
from dam.catalogue.row import SCHEMA
from dam.catalogue.storage import LostRaceError, TableHandle
from dam.errors import CatalogueUnavailableError
from dam.ids import new_id
from dam.settings import DamSettings
from dam.store.delta import delta_location
from tests.catalogue.changes import change
from tests.catalogue.rows import VALUES, enrich, rows_of


async def test_a_commit_is_read_back_as_it_was(catalogue: Catalogue) -> None:
    """Every column; the vector stands in its row and is no part of the state that is read."""
    [row] = await enrich(catalogue, 1, **VALUES)
    current = await catalogue.current([row.id, new_id()])
    assert current == {row.id: Row(**asdict(row) | {"embedding": None})}
    assert all(getattr(row, name) == value for name, value in VALUES.items())
    table = catalogue._handle.scan(SCHEMA.names, f"id = '{row.id}'").read_all()
    assert table.schema.equals(SCHEMA)
    assert table.column("embedding").to_pylist() == [VALUES["embedding"]]


async def test_history_holds_every_revision(catalogue: Catalogue) -> None:
    """Oldest first; the current row is the last; an unknown asset has none."""
    [first] = await enrich(catalogue, 1, caption="a")
    await catalogue.commit([change(first.id, 1, "edited", caption="b", actor="person:ann")])
    await catalogue.commit([change(first.id, 2, "deleted")])
    history = await catalogue.history(first.id)
    assert [(row.revision, row.event, row.caption) for row in history] == [
        (1, "enriched", "a"),
        (2, "edited", "b"),
        (3, "deleted", "b"),
    ]
    assert await catalogue.current([first.id]) == {first.id: history[-1]}
    assert await catalogue.history(new_id()) == await catalogue.history("'; --") == []


async def test_another_process_continues_where_this_one_stands(
    catalogue: Catalogue, settings: DamSettings
) -> None:
    """A handle opened earlier and one opened later see each other's commits, repeats and conflicts."""
    other = await Catalogue.open(settings)
    try:
        made = change(caption="a")
        [row] = rows_of(await catalogue.commit([made]))
        [repeated] = await other.commit([made])
        assert isinstance(repeated, Repeated)
        assert repeated.row.caption == "a"
        [stale] = await other.commit([change(row.id)])
        assert isinstance(stale, Stale)
        assert stale.current is not None
        assert stale.current.revision == 1
        [second] = rows_of(await other.commit([change(row.id, 1, "edited")]))
        assert (second.revision, second.caption) == (2, "a")
        version = await catalogue.version()
        assert version == await other.version() == 2
    finally:
        await other.close()
    again = await Catalogue.open(settings)
    assert await again.version() == version
    assert rows_of(await again.commit([change(row.id, 2, "edited")]))[0].revision == 3
    await again.close()


async def test_many_callers_share_few_commits(catalogue: Catalogue) -> None:
    """Fifty commits at once: fifty answers, a handful of versions."""
    asked = [change() for _ in range(50)]
    answers = await asyncio.gather(*(catalogue.commit([item]) for item in asked))
    assert [rows_of(answer)[0].change_id for answer in answers] == [item.change_id for item in asked]
    assert await catalogue.version() <= 5
    assert len(await catalogue.current([item.asset_id for item in asked])) == 50


async def test_a_refused_change_leaves_its_batch_alone(catalogue: Catalogue) -> None:
    """The others are committed, with it or without."""
    outcomes = await catalogue.commit([change(), change(width="wide"), change()])
    assert [type(outcome) for outcome in outcomes] == [Committed, Refused, Committed]


async def test_failed_assets_are_found_by_their_current_row(catalogue: Catalogue) -> None:
    """One that failed and was enriched later is no failure."""
    broken = [change(status="failed", event="failed", error_code="truncated") for _ in range(3)]
    await catalogue.commit([*broken, change()])
    await catalogue.commit([change(broken[1].asset_id, 1, "enriched", error_code=None)])
    found = [row async for row in catalogue.failed()]
    assert [row.id for row in found] == sorted([broken[0].asset_id, broken[2].asset_id])
    assert {row.error_code for row in found} == {"truncated"}


async def test_the_table_keeps_a_change_feed_from_its_beginning(catalogue: Catalogue) -> None:
    """The search index reads it."""
    assert catalogue._handle.delta.metadata().configuration["delta.enableChangeDataFeed"] == "true"
    rows = await enrich(catalogue, 2)
    feed = catalogue._handle.delta.load_cdf(starting_version=1).read_all()
    assert sorted(feed.column("id").to_pylist()) == sorted(row.id for row in rows)


async def test_closing_finishes_what_was_handed_in(settings: DamSettings) -> None:
    """A commit that is on its way when the process stops is in the table."""
    catalogue = await Catalogue.open(settings)
    asked = [change() for _ in range(5)]
    waiting = [asyncio.create_task(catalogue.commit([item])) for item in asked]
    await asyncio.sleep(0)
    await catalogue.close()
    for answer in await asyncio.gather(*waiting):
        assert len(rows_of(answer)) == 1
    with pytest.raises(CatalogueUnavailableError, match="stopping"):
        await catalogue.commit([change()])
    again = await Catalogue.open(settings)
    assert set(await again.current([item.asset_id for item in asked])) == {item.asset_id for item in asked}
    await again.close()


async def test_what_is_no_table_is_told_and_not_overwritten(tmp_path: Path) -> None:
    """A damaged log stops the opening with its place; it is left as it is."""
    settings = DamSettings(data_dir=tmp_path)
    log = Path(delta_location(settings)[0]) / "_delta_log" / "00000000000000000000.json"
    log.parent.mkdir(parents=True)
    log.write_text("{not json")
    with pytest.raises(CatalogueUnavailableError, match="metadata/images cannot be opened"):
        await Catalogue.open(settings)
    assert log.read_text() == "{not json"


async def test_a_stale_handle_cannot_append(catalogue: Catalogue, settings: DamSettings) -> None:
    """Below the protocol: of two handles that saw one version the second is told, not rebased."""
    row = Row(
        id=new_id(),
        revision=1,
        change_id=new_id(),
        event="edited",
        recorded_at=datetime.now(UTC),
        actor="person:ann",
        status="ready",
    )
    handles = [await asyncio.to_thread(TableHandle.open, *delta_location(settings)) for _ in range(2)]
    handles[0].append([row], "first")
    with pytest.raises(LostRaceError):
        handles[1].append([row], "second")
    since = handles[1].refresh() - 1
    assert handles[1].has_commit("first", since)
    assert not handles[1].has_commit("second", 0)
    assert not handles[1].has_commit("first", since + 1)
    assert len(await catalogue.history(row.id)) == 1
