"""The columns themselves: one slot for each asset, never moved, and the order of the slots by id.

Called from the event loop alone (loading: from the one thread that loads). `apply` takes rows of any
revision in any order; an older revision than the known one changes nothing, so repeating is harmless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dam.search.packing import PACKED, newest_of_each, pack, pack_one, pack_texts
from gallery_api.listing.codes import Codes
from gallery_api.listing.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COLUMNS: Final = (
    "id",
    "revision",
    "event",
    "received_at",
    "status",
    "asset_type",
    "mime_type",
    "size_bytes",
    "width",
    "height",
    "embedding_by",
    "tags",
    "rating",
    "error_code",
)
"""What is read of the catalogue."""

PURGED: Final = "purged"
"""The status that the columns give a purged asset: it is in no list."""
NO_RATING: Final = -1
_FIRST_CAPACITY: Final = 1024
_LAST_EPOCH: Final = 255
_DAY_US: Final = 86_400_000_000

_TYPES: Final[dict[str, Any]] = {
    "id": PACKED,
    "revision": np.int32,
    "status": np.uint8,
    "asset_type": np.uint8,
    "mime_type": np.uint16,
    "embedding_by": np.uint16,
    "error_code": np.uint16,
    "day": np.int32,
    "size_bytes": np.int64,
    "ratio": np.float32,
    "rating": np.int8,
    "epoch": np.uint8,
}
_CODED: Final = ("status", "asset_type", "mime_type", "embedding_by", "error_code")


class Columns:
    """Everything that is filtered, counted and sorted by."""

    def __init__(self) -> None:
        self.size = 0
        self.codes = {name: Codes() for name in _CODED}
        self.tags = Tags()
        self._arrays: dict[str, NDArray[Any]] = {
            name: np.zeros(_FIRST_CAPACITY, kind) for name, kind in _TYPES.items()
        }
        self._order = np.zeros(_FIRST_CAPACITY, np.intp)  # as NumPy sorts by; any other it would copy first

    def __getitem__(self, name: str) -> NDArray[Any]:
        """One column, by slot."""
        return self._arrays[name][: self.size]

    @property
    def order(self) -> NDArray[np.intp]:
        """Slots in the order of their ids."""
        return self._order[: self.size]

    def find(self, asset_id: str) -> int | None:
        """The slot of an id."""
        slot = int(self._find_all(np.array([pack_one(asset_id)], PACKED))[0])
        return None if slot < 0 else slot

    def text(self, name: str, slot: int) -> str | None:
        """What one asset has in a column of texts."""
        return self.codes[name].text(int(self._arrays[name][slot]))

    def place(self, asset_id: str) -> int:
        """How many ids are smaller than this one."""
        return int(self._place_all(np.array([pack_one(asset_id)], PACKED))[0])

    def find_many(self, asset_ids: Sequence[str]) -> NDArray[np.int64]:
        """The slot of each of these ids, -1 for those that are not known."""
        return self._find_all(pack_texts(asset_ids))

    def revisions(self, asset_ids: Sequence[str]) -> NDArray[np.int32]:
        """The newest revision that is known of each of these; 0 where none is."""
        slots = self.find_many(asset_ids)
        return np.where(slots < 0, 0, self._arrays["revision"][slots])

    def apply(self, batch: pa.RecordBatch) -> None:
        """Take over the newest revision of each asset in a batch with `COLUMNS`."""
        if not batch.num_rows:
            return
        ids = pack(batch.column("id"))
        revisions = batch.column("revision").to_numpy()
        newest = newest_of_each(ids, revisions)
        ids, revisions = ids[newest], revisions[newest]
        slots = self._find_all(ids)
        is_newer = revisions > np.where(slots < 0, 0, self._arrays["revision"][slots])
        is_known = slots >= 0
        added = self._add(ids[is_newer & ~is_known])
        slots[is_newer & ~is_known] = added
        self._write(batch.take(newest[is_newer]), slots[is_newer], ids[is_newer], is_known[is_newer])

    def _find_all(self, ids: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """The slot of each of these ids, -1 for those that are not known."""
        at = self._place_all(ids)
        within = np.minimum(at, self.size - 1)
        is_there = (at < self.size) & (self._arrays["id"][self._order[within]] == ids)
        return np.where(is_there, self._order[within], -1).astype(np.int64)

    def _place_all(self, ids: NDArray[np.bytes_]) -> NDArray[np.intp]:
        """How many known ids are smaller than each of these."""
        return np.searchsorted(self["id"], ids, sorter=self.order)

    def _add(self, ids: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """New slots for sorted ids, put in their places in the order."""
        count = len(ids)
        slots = np.arange(self.size, self.size + count)
        if not count:
            return slots
        self._reserve(self.size + count)
        places = self._place_all(ids)
        self._order[: self.size + count] = np.insert(self.order, places, slots)
        self._arrays["id"][slots] = ids
        self.size += count
        return slots

    def _reserve(self, size: int) -> None:
        """Grow by half, so that a million assets never cost two million slots."""
        capacity = len(self._order)
        if size <= capacity:
            return
        capacity = max(size, capacity + capacity // 2)
        self._order = _grow(self._order, capacity)
        self._arrays = {name: _grow(array, capacity) for name, array in self._arrays.items()}

    def _write(
        self,
        batch: pa.RecordBatch,
        slots: NDArray[np.int64],
        ids: NDArray[np.bytes_],
        is_known: NDArray[np.bool_],
    ) -> None:
        if not len(slots):
            return
        arrays = self._arrays
        arrays["id"][slots] = ids
        arrays["revision"][slots] = batch.column("revision").to_numpy()
        purged = pc.equal(batch.column("event"), PURGED)
        shown = {"status": pc.if_else(purged, PURGED, batch.column("status"))}
        for name in _CODED:
            arrays[name][slots] = self.codes[name].encode(shown.get(name, batch.column(name)))
        micros = pc.fill_null(batch.column("received_at").cast("int64"), 0).to_numpy()
        arrays["day"][slots] = micros // _DAY_US
        arrays["size_bytes"][slots] = pc.fill_null(batch.column("size_bytes"), 0).to_numpy()
        arrays["rating"][slots] = pc.fill_null(batch.column("rating"), NO_RATING).to_numpy()
        width, height = (pc.fill_null(batch.column(name), 0).to_numpy() for name in ("width", "height"))
        arrays["ratio"][slots] = np.where(height > 0, width / np.maximum(height, 1), 0)
        self._write_tags(batch.column("tags"), slots, is_known)

    def _write_tags(self, tags: pa.ListArray, slots: NDArray[np.int64], is_known: NDArray[np.bool_]) -> None:
        epochs = self._arrays["epoch"]
        if self.tags.needs_sweep() or (epochs[slots[is_known]] == _LAST_EPOCH).any():
            self.tags.sweep(self["epoch"])
            epochs[:] = 0
        epochs[slots[is_known]] += 1
        self.tags.note_replaced(int(is_known.sum()))
        self.tags.put(slots, epochs, tags)


def _grow(array: NDArray[Any], capacity: int) -> NDArray[Any]:
    """The same with more room, which takes no memory before it is used: nobody writes zeros into it."""
    grown = np.zeros(capacity, array.dtype)
    grown[: len(array)] = array
    return grown
