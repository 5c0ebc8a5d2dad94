"""What the gallery asks of the index."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from lancedb.index import IvfRq

from dam.search import reader as reading
from dam.search import table as tables
from dam.search.schema import read_row
from dam.search.words import query_words
from tests.search.bench import vector

if TYPE_CHECKING:
    from tests.search.bench import IndexBench


async def test_hits_bring_their_rows(bench: IndexBench) -> None:
    """By both kinds of search, and as they are after an edit."""
    boat, house = await asyncio.gather(bench.add("a red boat"), bench.add("a blue house"))
    await bench.step()
    near = {hit.id: hit.row for hit in await bench.reader.nearest(vector("a red boat"), 10)}
    [worded] = await bench.reader.with_words(query_words("house"), 10)
    assert worded.row == near[house.id]
    found = {key: read_row(row)["caption"] for key, row in near.items() if row}
    assert found == {boat.id: "a red boat", house.id: "a blue house"}
    await bench.change(boat.id, 1, "edited", "ready", {"caption": "a yacht"})
    await bench.step()
    [edited] = await bench.reader.with_words(query_words("yacht"), 10)
    assert edited.row is not None
    assert read_row(edited.row) == (await bench.reader.rows([boat.id]))[boat.id]


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
