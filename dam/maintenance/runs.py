"""Sorting more rows than fit in memory: sorted runs in temporary files, merged as a stream.

Rows have `id` and `revision`; a run is sorted by id and holds only the newest revision of each, and so is
what is merged: unless it is to be `sort_all`, which keeps every row. The snapshot, reconcile and verify call
this. Blocking, and pure but for its temporary files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

ROWS_AT_ONCE: Final = 4096
"""Rows of one run held while runs are merged."""

_ORDER: Final = [("id", "ascending"), ("revision", "descending")]


def sort_into_runs(
    batches: Iterable[pa.RecordBatch],
    folder: Path,
    memory_bytes: int,
    check: Callable[[], None],
    sort: Callable[[pa.Table], pa.Table] | None = None,
) -> list[Iterator[pa.Table]]:
    """Runs that together hold the newest revision of every id in `batches`.

    At most `memory_bytes` of rows are kept in memory; runs beyond the first go to files in `folder`, which
    the caller removes when it has read them. `check` is called between batches, and may raise to stop.
    """
    sort = sort or sort_newest
    paths: list[Path] = []
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        check()
        waiting.append(batch)
        size += batch.nbytes
        if size >= memory_bytes:
            paths.append(folder / f"run-{len(paths)}.arrow")
            _spill(sort(pa.Table.from_batches(waiting)), paths[-1])
            waiting, size = [], 0
    runs = [_read_back(path) for path in paths]
    if waiting:
        runs.append(cut(sort(pa.Table.from_batches(waiting))))
    return runs


def merge_runs(
    runs: Iterable[Iterator[pa.Table]], sort: Callable[[pa.Table], pa.Table] | None = None
) -> Iterator[pa.Table]:
    """The newest revision of every id in `runs`, sorted by id, a few thousand rows at a time.

    Each step takes from every run the rows up to the smallest last id that any run holds in memory: whatever
    is still unread has greater ids. With `sort_all` the rows of one id may be parted by two steps, and are in
    order of their ids alone.
    """
    sort = sort or sort_newest
    heads = [[head, run] for run in map(iter, runs) if (head := _next(run)) is not None]
    while heads:
        bound = min(str(head["id"][-1]) for head, _ in heads)
        taken = []
        for pair in heads:
            head, run = pair
            count = _count_up_to(head["id"], bound)
            if count:
                taken.append(head.slice(0, count))
            pair[0] = head.slice(count) if count < head.num_rows else _next(run)
        heads = [pair for pair in heads if pair[0] is not None]
        yield taken[0] if len(taken) == 1 else sort(pa.concat_tables(taken))


def sort_newest(table: pa.Table) -> pa.Table:
    """Sorted by id, with only the greatest revision of each."""
    ordered = table.sort_by(_ORDER)
    ids = ordered["id"].combine_chunks()
    if len(ids) < 2:  # noqa: PLR2004 - one row has no neighbour
        return ordered
    is_first = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    return ordered.filter(pa.concat_arrays([pa.array([True]), is_first]))


def sort_all(table: pa.Table) -> pa.Table:
    """Sorted by id, every row kept."""
    return table.sort_by(_ORDER)


def cut(table: pa.Table) -> Iterator[pa.Table]:
    """A table in pieces of `ROWS_AT_ONCE`."""
    for at in range(0, table.num_rows, ROWS_AT_ONCE):
        yield table.slice(at, ROWS_AT_ONCE)


def _count_up_to(ids: pa.ChunkedArray, bound: str) -> int:
    if ids[-1].as_py() <= bound:
        return len(ids)
    return int(pc.sum(pc.less_equal(ids, bound)).as_py() or 0)


def _next(run: Iterator[pa.Table]) -> pa.Table | None:
    """The next piece that has rows, or None at the end."""
    return next((piece for piece in run if piece.num_rows), None)


def _spill(run: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, run.schema) as writer:
        writer.write_table(run, max_chunksize=ROWS_AT_ONCE)


def _read_back(path: Path) -> Iterator[pa.Table]:
    """A run from its file, batch by batch; the file is removed when it is done."""
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(number)])
    path.unlink()
