"""What the gallery asks of the index."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from lancedb.index import IvfRq

from dam.search import reader as reading
from dam.search import table as tables
from dam.search.words import query_words
from tests.search.bench import vector

if TYPE_CHECKING:
    from tests.search.bench import IndexBench


async def test_rows_are_read_where_they_were_found(bench: IndexBench) -> None:
    """By both kinds of search; a place that is not an id's own never brings another's row."""
    boat, house = await asyncio.gather(bench.add("a red boat"), bench.add("a blue house"))
    await bench.step()
    near = {hit.id: hit.place for hit in await bench.reader.nearest(vector("a red boat"), 10)}
    [worded] = await bench.reader.with_words(query_words("house"), 10)
    assert worded.place == near[house.id]
    places = {key: place for key, place in near.items() if place}
    swapped = {boat.id: places[house.id], house.id: places[boat.id]}
    for known in (places, swapped, {}):
        rows = await bench.reader.rows([boat.id, house.id], known)
        assert {key: row["caption"] for key, row in rows.items()} == {
            boat.id: "a red boat",
            house.id: "a blue house",
        }


async def test_places_of_an_earlier_version_are_not_used(bench: IndexBench) -> None:
    """What was edited since is read as it is now."""
    boat = await bench.add("a red boat")
    await bench.step()
    [hit] = await bench.reader.with_words(["boat"], 10)
    assert hit.place is not None
    await bench.change(boat.id, 1, "edited", "ready", {"caption": "a yacht"})
    await bench.step()
    rows = await bench.reader.rows([boat.id], {boat.id: hit.place})
    assert rows[boat.id]["caption"] == "a yacht"


@pytest.mark.parametrize("few", [0, 1000])
async def test_a_filter_finds_what_lies_far_from_the_query(
    bench: IndexBench, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """One by one where few pass; through the index, all of it where its nearest parts have too few."""
    monkeypatch.setattr(tables, "APPROXIMATE_FROM", 300)
    monkeypatch.setattr(tables, "_VECTOR_INDEX", IvfRq(distance_type="cosine", num_bits=2, num_partitions=8))
    monkeypatch.setattr(reading, "_FEW", few)
    monkeypatch.setattr(reading, "_PROBES", 1)
    monkeypatch.setattr(reading, "_PLENTY", 0)
    await asyncio.gather(*(bench.add(f"picture {number}", rating=number % 5) for number in range(320)))
    await bench.step()
    assert bench.reader.state is not None
    assert bench.reader.state.approximate
    assert len(await bench.reader.nearest(vector("picture 7"), 320)) < 320, "one part of eight"
    hits = await bench.reader.nearest(vector("picture 7"), 64, "rating = 3", passing=64)
    assert len({hit.id for hit in hits}) == 64
