"""Sorting in runs and merging them, against the obvious way to do it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam.maintenance.runs import merge_runs, sort_into_runs

SCHEMA = pa.schema([("id", pa.string()), ("revision", pa.int64()), ("note", pa.string())])

Rows = list[tuple[str, int]]
ROWS = st.lists(st.tuples(st.sampled_from("abcdefghij"), st.integers(1, 6)), unique=True, max_size=40)


def batches_of(rows: Rows, size: int) -> list[pa.RecordBatch]:
    """Rows as the table gives them: in no order, in batches."""
    return [
        pa.RecordBatch.from_pylist(
            [
                {"id": asset_id, "revision": revision, "note": f"{asset_id}{revision}"}
                for asset_id, revision in rows[at : at + size]
            ],
            SCHEMA,
        )
        for at in range(0, len(rows), size)
    ]


def newest(rows: Rows) -> list[tuple[str, int, str]]:
    """The greatest revision of each id, by id."""
    best: dict[str, int] = {}
    for asset_id, revision in rows:
        best[asset_id] = max(best.get(asset_id, 0), revision)
    return [(asset_id, revision, f"{asset_id}{revision}") for asset_id, revision in sorted(best.items())]


def merged(parts: list[Rows], memory_bytes: int) -> list[tuple[str, int, str]]:
    """What the modules make of rows that come in several sorts."""
    with tempfile.TemporaryDirectory() as name:
        runs = []
        for number, rows in enumerate(parts):
            folder = Path(name, str(number))
            folder.mkdir()
            runs += sort_into_runs(batches_of(rows, 3), folder, memory_bytes, lambda: None)
        pieces = list(merge_runs(runs))
    assert all(piece.num_rows for piece in pieces)
    return [(row["id"], row["revision"], row["note"]) for piece in pieces for row in piece.to_pylist()]


@settings(deadline=None)
@given(st.lists(ROWS, max_size=4), st.sampled_from([1, 200, 1 << 20]))
def test_merge_is_what_sorting_everything_would_be(parts: list[Rows], memory_bytes: int) -> None:
    """However rows are spread over runs, in memory or in files, the newest of each id come out in order."""
    assert merged(parts, memory_bytes) == newest([row for rows in parts for row in rows])


def test_more_rows_than_memory_go_through_files(tmp_path: Path) -> None:
    """A small budget leaves one run in memory; the others' files go when they have been read."""
    rows = [(f"{number:04}", 1) for number in range(100)]
    runs = sort_into_runs(batches_of(rows, 10), tmp_path, 1000, lambda: None)
    assert len(list(tmp_path.iterdir())) == 2
    assert sum(piece.num_rows for piece in merge_runs(runs)) == 100
    assert list(tmp_path.iterdir()) == []


def test_a_check_that_raises_stops_the_sorting(tmp_path: Path) -> None:
    """Whoever lost the lease does not go on sorting."""

    def check() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        sort_into_runs(batches_of([("a", 1)], 1), tmp_path, 1000, check)
