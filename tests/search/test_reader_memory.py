"""What the reader of the index holds does not grow with what has been read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import lancedb
import psutil
import pytest

from dam.search import reader as reading
from dam.search.words import query_words
from dam.store import delta
from tests.search.bench import vector

if TYPE_CHECKING:
    from tests.search.bench import IndexBench


async def test_caches_do_not_keep_what_belongs_to_old_versions(
    bench: IndexBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After twelve versions they hold about what they held after three; the newest is found all the while."""
    monkeypatch.setattr(reading, "_OPEN_ANEW_AFTER", 3)
    sessions = _record_sessions(monkeypatch)
    sizes = []
    for number in range(12):
        row = await bench.add(f"boat number{number}")
        await bench.step()
        assert await bench.named(f"number{number}") == {row.id}
        assert await bench.near(f"boat number{number}") == [row.id]
        sizes.append(sessions[-1].size_bytes)
    assert max(sizes[-4:]) < 2 * max(sizes[:4]), sizes


@pytest.mark.parametrize("either_bench", ["radosgw"], indirect=True)
async def test_few_connections_stay_open_after_many_searches(either_bench: IndexBench) -> None:
    """Each keeps the buffer of its largest answer."""
    await asyncio.gather(*(either_bench.add(f"a red boat {number}") for number in range(30)))
    await either_bench.step()
    before = _count_connections(either_bench)
    searches = (
        either_bench.reader.nearest(vector(f"boat {number}"), 30)
        if number % 2
        else either_bench.reader.with_words(query_words("boat"), 30)
        for number in range(200)
    )
    assert all(await asyncio.gather(*searches))
    await asyncio.sleep(1)  # what is let go is closed a moment later
    assert _count_connections(either_bench) <= before + delta._IDLE_CONNECTIONS


def _record_sessions(monkeypatch: pytest.MonkeyPatch) -> list[lancedb.Session]:
    """The library's caches, as the reader makes them."""
    made: list[lancedb.Session] = []
    make = lancedb.Session

    def record(index_bytes: int, metadata_bytes: int) -> lancedb.Session:
        made.append(make(index_bytes, metadata_bytes))
        return made[-1]

    monkeypatch.setattr(lancedb, "Session", record)
    return made


def _count_connections(bench: IndexBench) -> int:
    """Of this process to the bucket."""
    port = urlsplit(bench.settings.store_endpoint_url or "").port
    found = psutil.Process().net_connections("tcp")
    return sum(1 for one in found if one.raddr and one.raddr.port == port)
