"""The index follows the catalogue, and comes back from every loss."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.errors import IndexUnavailableError
from dam.ids import new_id
from dam.search import keeper as keeping
from dam.search import sources
from dam.search import table as tables
from dam.search.duty import keep_index
from dam.search.state import read_state

if TYPE_CHECKING:
    from tests.search.bench import IndexBench


async def test_it_is_built_and_then_follows_every_commit(either_bench: IndexBench) -> None:
    """New assets and edits, on both adapters; an edit keeps the vector that stands in no row of its own."""
    bench = either_bench
    boat = await bench.add("a red boat")
    await bench.step()
    house = await bench.add("a blue house", tags=["home"])
    await bench.change(boat.id, 1, "edited", "ready", {"caption": "a yacht"})
    await bench.step()
    assert await bench.named("yacht") == {boat.id}
    assert await bench.named("boat") == set()
    assert await bench.named("home") == {house.id}
    assert await bench.near("a red boat") == [boat.id]
    assert (await bench.reader.rows([boat.id]))[boat.id]["revision"] == 2
    assert bench.reader.state is not None
    assert bench.reader.state.version == await bench.catalogue.version()
    assert (bench.reader.state.model, bench.reader.state.rows) == ("clip@1", 2)


async def test_it_resumes_at_its_cursor(bench: IndexBench) -> None:
    """A restarted keeper takes over what came meanwhile, and builds nothing anew."""
    await bench.add("one")
    await bench.step()
    before, _ = await read_state(bench.store)
    row = await bench.add("two")
    await (await bench.new_keeper()).step()
    after, _ = await read_state(bench.store)
    assert before is not None
    assert after is not None
    assert after.table == before.table
    await bench.reader.refresh(bench.store)
    assert await bench.named("two") == {row.id}


async def test_what_was_merged_twice_is_there_once(bench: IndexBench) -> None:
    """A keeper that was killed between the merge and the cursor does the same again without harm."""
    await bench.add("one")
    await bench.step()
    state = (await bench.store.get(keys.SEARCH_STATE)).data
    row = await bench.add("two")
    await bench.step()
    await bench.store.put(keys.SEARCH_STATE, state)
    await (await bench.new_keeper()).step()
    await bench.reader.refresh(bench.store)
    assert bench.reader.state is not None
    assert bench.reader.state.rows == 2
    assert await bench.near("two") == [row.id]


@pytest.mark.parametrize("loss", ["state", "everything", "files", "unreadable state"])
async def test_it_is_rebuilt_when_it_is_lost(
    bench: IndexBench, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of it was deleted or damaged; what was edited and embedded long before is there again."""
    monkeypatch.setattr(keeping, "_PROBE_EVERY_S", 0.0)
    row = await bench.add("a red boat")
    await bench.change(row.id, 1, "edited", "ready", {"title": "Yacht"})
    await bench.step()
    if loss == "unreadable state":
        await bench.store.put(keys.SEARCH_STATE, b"{")
    else:
        prefix = {"state": keys.SEARCH_STATE, "everything": "search/", "files": "search/assets"}[loss]
        for key in [item.key async for item in bench.store.list(prefix)]:
            await bench.store.delete(key)
    await bench.step()
    assert await bench.named("yacht") == {row.id}
    assert await bench.near("a red boat") == [row.id]


async def test_another_model_means_another_index(bench: IndexBench) -> None:
    """Built beside the old one, which answers until the switch; vectors of two models never mix."""
    old = await bench.add("a red boat")
    await bench.step()
    before = bench.reader.state
    new = await bench.add("a blue boat", model="clip@2", dim=2 * 16)
    await bench.keeper.step()
    assert await bench.near("a red boat") == [old.id], "a reader that has not looked yet goes on with the old"
    await bench.reader.refresh(bench.store)
    state = bench.reader.state
    assert state is not None
    assert before is not None
    assert (state.model, state.dim) == ("clip@2", 32)
    assert [retired.table for retired in state.retired] == [before.table]
    assert await bench.near("a blue boat", 32) == [new.id]
    assert await bench.near("a red boat", 32) == []
    assert await bench.named("boat") == {old.id, new.id}, "words are found whoever made the vector"


async def test_a_replaced_table_is_dropped_when_nobody_reads_it(
    bench: IndexBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files leave the bucket; the index that is published stays."""
    await bench.add("a red boat")
    await bench.step()
    await bench.add("a blue boat", model="clip@2")
    monkeypatch.setattr(keeping, "_RETIRED_FOR", timedelta(0))
    await bench.step()
    await bench.step()
    state, _ = await read_state(bench.store)
    assert state is not None
    assert state.retired == ()
    folders = {item.key.split("/")[1] async for item in bench.store.list("search/assets-")}
    assert folders == {f"{state.table}.lance"}


async def test_purged_assets_leave_the_index(bench: IndexBench) -> None:
    """Row, words and vector."""
    row = await bench.add("a red boat")
    await bench.step()
    await bench.change(row.id, 1, "deleted", "deleted", {})
    await bench.change(row.id, 2, "purged", "deleted", {"caption": None})
    await bench.step()
    assert await bench.reader.rows([row.id]) == {}
    assert bench.reader.state is not None
    assert bench.reader.state.rows == 0


async def test_a_large_table_gets_an_approximate_index_by_itself(
    bench: IndexBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as there are enough vectors; rows that came later are found too."""
    monkeypatch.setattr(tables, "APPROXIMATE_FROM", 300)
    monkeypatch.setattr(keeping, "_TEND_AFTER", 1)
    await asyncio.gather(*(bench.add(f"picture {number}") for number in range(290)))
    await bench.step()
    before, _ = await read_state(bench.store)
    await asyncio.gather(*(bench.add(f"later {number}") for number in range(20)))
    await bench.step()
    after, _ = await read_state(bench.store)
    assert [state.approximate for state in (before, after) if state] == [False, True]
    last = await bench.add("the last")
    await bench.step()
    assert await bench.near("the last") == [last.id]
    assert len(await bench.near("picture 7")) == 1


async def test_it_is_filled_in_one_write(bench: IndexBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pieces it is read in: a file for each would have to be merged later."""
    monkeypatch.setattr(sources, "ROWS_AT_ONCE", 4)
    await asyncio.gather(*(bench.add(f"picture {number}") for number in range(30)))
    await bench.step()
    assert bench.reader.state is not None
    assert bench.reader.state.rows == 30
    keys_found = [item.key async for item in bench.store.list("search/assets-")]
    assert len([key for key in keys_found if "/data/" in key]) == 1


async def test_upkeep_takes_a_small_share_of_the_time(
    bench: IndexBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one that took long, merges go on for a while without; then it is due again."""
    tended: list[float] = []

    async def tend(_: tables.IndexTable) -> None:
        tended.append(time.monotonic())
        await asyncio.sleep(0.5)

    monkeypatch.setattr(keeping, "_TEND_AFTER", 1)
    monkeypatch.setattr(tables.IndexTable, "tend", tend)
    for number in range(4):
        await bench.add(f"picture {number}")
        await bench.step()
    assert len(tended) == 1
    bench.keeper._tend_not_before = time.monotonic()
    await bench.add("the last")
    await bench.step()
    assert len(tended) == 2
    assert bench.reader.state is not None
    assert bench.reader.state.rows == 5


async def test_a_search_without_an_index_says_so(bench: IndexBench) -> None:
    """The reader raises; the gallery answers from what it has itself."""
    await bench.reader.refresh(bench.store)
    with pytest.raises(IndexUnavailableError, match="no search index yet"):
        await bench.reader.with_words(["boat"], 10)


async def test_a_commit_is_found_within_two_seconds(bench: IndexBench) -> None:
    """While the duty runs as it does in `dam maintain`."""
    stop = asyncio.Event()
    duty = asyncio.create_task(keep_index(bench.store, bench.settings, stop))
    try:
        for number in range(3):
            row = await bench.add(f"boat{number}")
            committed = time.monotonic()
            async with asyncio.timeout(10):
                while True:
                    await bench.reader.refresh(bench.store)
                    if bench.reader.state and row.id in await bench.named(f"boat{number}"):
                        break
                    await asyncio.sleep(0.02)
            if number:  # the first time it is built
                assert time.monotonic() - committed < 2
    finally:
        stop.set()
        await duty


async def test_words_of_every_field_are_found(bench: IndexBench) -> None:
    """File name, caption, tags, title, description and extracted text; by stem, without accents."""
    row = await bench.add(
        "Rote Bäume",
        filename="IMG_2041-holiday.jpg",
        tags=["Côte d'Azur", "beach"],
        title="Walking",
        description="東京タワー at night",
        text="Invoice 77-B",
    )
    await bench.add("something else", filename="other.jpg")
    await bench.step()
    wanted = (
        "2041",
        "img",
        "holidays",
        "baume",
        "cote",
        "beaches",
        "walked",
        "東京",
        "タワー",
        "night",
        "invoices 77",
    )
    for words in wanted:
        assert await bench.named(words) == {row.id}, words
    assert await bench.named(new_id()) == set()
