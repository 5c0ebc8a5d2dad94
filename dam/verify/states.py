"""Every asset's state, sorted by id, as a stream; and a second time sorted by content, for the claims.

Blocking, in one worker's thread. It sorts in temporary files, so that its memory does not grow with the
catalogue. It must never write to the table.
"""

from __future__ import annotations

from dataclasses import astuple, fields
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from dam.catalogue.row import SCHEMA
from dam.maintenance.runs import merge_runs, sort_all, sort_into_runs
from dam.verify.facts import COLUMNS, State, make_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dam.catalogue.storage import TableHandle
    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker

_AT_ONCE: Final = 2048
_ROW_SCHEMA: Final = pa.schema([*(SCHEMA.field(name) for name in COLUMNS), pa.field("dim", pa.int32())])
_STATE_COLUMNS: Final = [field.name for field in fields(State)]
_CONTENT_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string()),  # what is sorted by: the content's SHA-256
        pa.field("revision", pa.int64()),
        pa.field("asset_id", pa.string()),
        *(pa.field(name, SCHEMA.field(name).type) for name in COLUMNS if name not in {"id", "revision"}),
        pa.field("dim", pa.int32()),
        pa.field("is_sound", pa.bool_()),
    ]
)


class States:
    """One pass over the catalogue as `handle` sees it. `folder` is for temporary files."""

    def __init__(
        self, handle: TableHandle, folder: Path, settings: MaintenanceSettings, worker: Worker
    ) -> None:
        self._handle = handle
        self._folder = folder
        self._memory_bytes = settings.sort_memory_bytes
        self._check = worker.check
        self._contents = folder / "contents.arrow"

    def by_id(self, *, with_vectors: bool) -> Iterator[list[State]]:
        """Every asset once, sorted by id, some at a time; `dim` only `with_vectors`, which reads all."""
        runs = sort_into_runs(
            self._scan(with_vectors), self._folder, self._memory_bytes, self._check, sort_all
        )
        states = _group(merge_runs(runs, sort_all))
        with (
            pa.OSFile(str(self._contents), "wb") as file,
            pa.ipc.new_stream(file, _CONTENT_SCHEMA) as contents,
        ):
            while some := list(islice(states, _AT_ONCE)):
                self._check()
                contents.write_batch(_contents_of(some))
                yield some

    def by_content(self) -> Iterator[list[State]]:
        """Assets that have a content, sorted by it, some at a time; `by_id` must have come to its end."""
        with pa.OSFile(str(self._contents), "rb") as file, pa.ipc.open_stream(file) as batches:
            runs = sort_into_runs(batches, self._folder, self._memory_bytes, self._check, sort_all)
            for piece in merge_runs(runs, sort_all):
                yield [_read_state(row) for row in piece.to_pylist()]

    def _scan(self, with_vectors: bool) -> Iterator[pa.RecordBatch]:  # noqa: FBT001 - `by_id`'s own
        for batch in self._handle.scan([*COLUMNS, "embedding"] if with_vectors else list(COLUMNS)):
            dims = (
                pc.list_value_length(batch.column("embedding"))
                if with_vectors
                else pa.nulls(batch.num_rows, pa.int32())
            )
            columns = [*(batch.column(name) for name in COLUMNS), dims]
            yield pa.RecordBatch.from_arrays(columns, schema=_ROW_SCHEMA)


def _group(pieces: Iterator[pa.Table]) -> Iterator[State]:
    rows = (row for piece in pieces for row in piece.to_pylist())
    for _, group in groupby(rows, key=lambda row: row["id"]):
        yield make_state(group)


def _contents_of(states: list[State]) -> pa.RecordBatch:
    """Those that have a content and are not purged, under it."""
    rows = [
        dict(zip(_STATE_COLUMNS, astuple(state), strict=True)) | {"asset_id": state.id, "id": state.sha256}
        for state in states
        if state.sha256 is not None and not state.is_purged
    ]
    return pa.RecordBatch.from_pylist(rows, schema=_CONTENT_SCHEMA)


def _read_state(row: dict[str, Any]) -> State:
    return State(**{name: row[name] for name in _STATE_COLUMNS} | {"id": row["asset_id"]})
