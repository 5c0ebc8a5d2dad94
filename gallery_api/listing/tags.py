"""Which asset has which tag: for each tag a growing list of assets.

An asset's tags change by adding all of them anew under a higher epoch; entries of an older epoch no longer
count, and are swept out when they are many.
"""

from __future__ import annotations

import itertools
from array import array
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_SWEEP_SHARE: Final = 0.5


class Tags:
    """Slots by tag. `epochs` is the columns' own array: one number for each slot."""

    def __init__(self) -> None:
        self._slots: dict[str, array[int]] = {}
        self._epochs: dict[str, array[int]] = {}
        self._entries = 0
        self._stale = 0

    def put(self, slots: NDArray[np.int64], epochs: NDArray[np.uint8], tags: pa.ListArray) -> None:
        """Give each of these slots its list of tags, under its epoch."""
        encoded = pc.list_flatten(tags).dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        # A tag that stands twice in one list counts once.
        pairs = np.unique(codes * len(slots) + pc.list_parent_indices(tags).to_numpy())
        codes, parents = np.divmod(pairs, max(len(slots), 1))
        bounds = np.flatnonzero(np.diff(codes, prepend=-1, append=-1))
        for start, end in itertools.pairwise(bounds):
            tag = encoded.dictionary[int(codes[start])].as_py()
            owners = slots[parents[start:end]]
            self._slots.setdefault(tag, array("i")).frombytes(owners.astype(np.int32).tobytes())
            self._epochs.setdefault(tag, array("B")).frombytes(epochs[owners].tobytes())
        self._entries += len(pairs)

    def note_replaced(self, count: int) -> None:
        """So many slots have got new epochs: their old entries are stale."""
        self._stale += count

    def members(self, tag: str, epochs: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Slots that have the tag now."""
        if tag not in self._slots:
            return np.empty(0, np.int32)
        slots = np.array(self._slots[tag], np.int32)
        is_current: NDArray[np.bool_] = np.array(self._epochs[tag], np.uint8) == epochs[slots]
        return slots[is_current]

    def count(self, epochs: NDArray[np.uint8], counted: NDArray[np.bool_], most: int) -> dict[str, int]:
        """The most frequent tags among the slots that count."""
        counts = {tag: int(counted[self.members(tag, epochs)].sum()) for tag in self._slots}
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {tag: count for tag, count in ordered[:most] if count}

    def needs_sweep(self) -> bool:
        """Whether changes have left many entries behind; an epoch also must not come round."""
        return self._stale > max(200, _SWEEP_SHARE * self._entries)

    def sweep(self, epochs: NDArray[np.uint8]) -> None:
        """Drop the entries that no longer count; every epoch may be 0 again afterwards."""
        for tag in list(self._slots):
            kept = self.members(tag, epochs)
            if len(kept):
                self._slots[tag] = array("i", kept.tobytes())
                self._epochs[tag] = array("B", bytes(len(kept)))
            else:
                del self._slots[tag], self._epochs[tag]
        self._entries, self._stale = sum(map(len, self._slots.values())), 0
