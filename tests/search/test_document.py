"""`docs/searching-parquet.md` shows how to search without the index: its recipes run, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from benchmarks.search_document import PAGE, PLOT
from dam.maintenance.settings import MaintenanceSettings
from tests.maintenance.processes import maintaining
from tests.search.bench import vector

if TYPE_CHECKING:
    from tests.search.bench import IndexBench

DIM = 512


def recipes(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
async def boat(bench: IndexBench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The id of a boat among other pictures, in a bucket with its snapshot, which is the working folder."""
    row = await bench.add("a sailboat", dim=DIM, tags=["summer"])
    await bench.add("a sailboat in winter", dim=DIM)
    house = await bench.add("a house", dim=DIM)
    await bench.change(house.id, 1, "edited", "ready", {"caption": "a cottage"})
    with maintaining(MaintenanceSettings(data_dir=tmp_path), tmp_path / "log") as maintainer:
        maintainer.wait_for("snapshot.published")
    monkeypatch.chdir(Path(bench.settings.store_url.removeprefix("file://")))
    return row.id


def test_the_sql_finds_words(boat: str) -> None:
    """In captions and tags of the snapshot."""
    [query] = recipes("sql")
    assert duckdb.execute(query).fetchall() == [(boat, "picture.jpg", "a sailboat")]


def test_the_programs_find_the_nearest(boat: str, capsys: pytest.CaptureFixture[str]) -> None:
    """DuckDB and NumPy, on the table's own files."""
    by_duckdb, by_numpy = recipes("python")
    names: dict[str, Any] = {"query": vector("a sailboat", DIM).tolist()}
    exec(by_duckdb, names)  # noqa: S102 - the page's own program
    assert next(row[0] for row in names["found"]) == boat
    assert {row[1] for row in names["found"]} == {"a sailboat", "a sailboat in winter", "a cottage"}
    exec(by_numpy, {"query": np.array(vector("a sailboat", DIM))})  # noqa: S102 - as above
    assert capsys.readouterr().out.split()[0] == boat


def test_the_plot_is_there() -> None:
    """The page shows it; the benchmark draws it."""
    assert PLOT.name in PAGE.read_text(encoding="utf-8")
    assert PLOT.read_text(encoding="utf-8").startswith("<svg")
