"""The whole bucket, asset by asset: its originals, its row in the original's table, its row in the catalogue.

Three sorted streams are read side by side, so that memory does not grow with the bucket. It only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from dam import keys
from dam.adopt.report import Kind
from dam.adopt.rows import FormerRow, read_rows
from dam.catalogue.row import SCHEMA
from dam.ids import is_former
from dam.maintenance.runs import merge_runs, sort_into_runs
from dam.verify.streams import Named, pull

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from dam.adopt.options import AdoptOptions
    from dam.adopt.report import Report
    from dam.catalogue.storage import TableHandle
    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker
    from dam.store.port import ObjectInfo, ObjectStore

_STATE: Final = ["id", "revision", "status", "event", "caption", "caption_by"]


@dataclass(frozen=True, slots=True)
class Item:
    """What there is of one asset. `state`: of its newest catalogue row, the columns in `_STATE`."""

    asset_id: str
    originals: list[ObjectInfo]
    row: FormerRow | None
    state: dict[str, Any] | None

    @property
    def lacks_caption(self) -> bool:
        """Whether the catalogue's row never had a caption, and the original's table has one."""
        state = self.state
        return (
            state is not None
            and self.row is not None
            and self.row.caption is not None
            and state["caption"] is None
            and state["caption_by"] is None
            and state["status"] != "deleted"
        )


@dataclass(frozen=True, slots=True)
class Walk:
    """One pass. `tables` are local copies of the original's; `handle` None where there is no catalogue."""

    store: ObjectStore
    handle: TableHandle | None
    tables: Sequence[Path]
    folder: Path
    settings: MaintenanceSettings
    options: AdoptOptions
    worker: Worker
    report: Report

    async def items(self) -> AsyncIterator[Item]:
        """Every asset that has an original or a row in the original's table, in the order of ids.

        Raises:
            StoreUnavailableError, CatalogueUnavailableError: the bucket does not answer.
            FormerTableError: the original's table is damaged.
        """
        originals = Named(self._originals(), lambda item: keys.asset_id_of(item.key) or "")
        rows = Named(pull(self._rows(), self.worker), lambda row: row.asset_id)
        states = Named(pull(self._states(), self.worker), lambda state: str(state["id"]))
        await originals.start()
        await rows.start()
        await states.start()
        while names := [item.at for item in (originals, rows) if item.at is not None]:
            name = min(names)
            while states.at is not None and states.at < name:
                await states.take(states.at)
            state, row = await states.take(name), await rows.take(name)
            found = await originals.take(name)
            yield Item(name, found, row[0] if row else None, state[0] if state else None)

    async def _originals(self) -> AsyncIterator[ObjectInfo]:
        """Those of the original project; keys right below the prefix sort as their ids do."""
        async for found in self.store.list(self.options.prefix):
            asset_id = keys.asset_id_of(found.key)
            if found.key.rpartition("/")[0] + "/" != self.options.prefix or asset_id is None:
                problem = (
                    "Its name is no id of the original project (a UUID of version 4, then its extension), "
                    f"right below {self.options.prefix}. It is left alone; upload the file to have it."
                )
                self.report.add(Kind.KEY_WITHOUT_ID, found.key, problem)
            elif is_former(asset_id):
                self.report.originals += 1
                yield found
            else:
                self.report.ours += 1

    def _rows(self) -> Iterator[list[FormerRow]]:
        def tell(row: str) -> None:
            problem = "Neither its id nor its key names an original of the original project. It is left out."
            self.report.add(Kind.ROW_WITHOUT_ID, row, problem)

        folder = self.folder / "rows"
        folder.mkdir()
        memory = self.settings.sort_memory_bytes
        for some in read_rows(self.tables, folder, memory, self.worker.check, tell):
            self.report.rows += len(some)
            yield some

    def _states(self) -> Iterator[list[dict[str, Any]]]:
        if self.handle is None:
            return
        folder = self.folder / "states"
        folder.mkdir()
        schema = pa.schema([SCHEMA.field(name) for name in _STATE])
        batches = (batch.cast(schema) for batch in self.handle.scan(_STATE))
        for piece in merge_runs(
            sort_into_runs(batches, folder, self.settings.sort_memory_bytes, self.worker.check)
        ):
            yield piece.to_pylist()
