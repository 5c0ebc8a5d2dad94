"""Rows that the search index does not have yet: the newest of each asset since the index's version.

The follower fills it, searches and lists lay it over what the index answers. At most a few seconds of rows in
normal times; while maintenance is down it grows up to `MOST` rows, then it forgets the oldest and says so.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dam.catalogue import Row

MOST: Final = 20_000
_DECIDED_LATER: Final = 2**62
"""The version of a row that this process committed, until the change feed tells it."""


@dataclass(slots=True)
class FreshRow:
    """`vector` None: the asset's vector is the one that the index has, or there is none."""

    row: Row
    version: int
    vector: NDArray[np.float32] | None
    seen_at: float


class FreshRows:
    """Newest rows by id, the longest waiting first."""

    def __init__(self) -> None:
        self._rows: OrderedDict[str, FreshRow] = OrderedDict()
        self._indexed = -1
        self._holders: Counter[int] = Counter()
        """By the version that the index had when they began."""
        self.forgotten = 0
        """Rows that were dropped for want of room since the index last caught up."""

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[FreshRow]:
        return iter(list(self._rows.values()))

    def get(self, asset_id: str) -> FreshRow | None:
        """The row of an asset, where the index lacks it."""
        return self._rows.get(asset_id)

    def put(self, row: Row, version: int | None = None) -> None:
        """Take a row; `version` None where this process has just committed it.

        An older revision than the known one brings at most the vector that the newer one stands for.
        """
        known = self._rows.get(row.id)
        vector = np.array(row.embedding, np.float32) if row.embedding else None
        if known and known.row.revision >= row.revision:
            if known.vector is None and known.row.embedding_by == row.embedding_by:
                known.vector = vector
            if known.row.revision == row.revision and version is not None:
                known.version = version
            return
        if vector is None and known:
            vector = known.vector
        seen_at = known.seen_at if known else time.monotonic()
        told = _DECIDED_LATER if version is None else version
        self._rows[row.id] = FreshRow(replace(row, embedding=None), told, vector, seen_at)
        if len(self._rows) > MOST:
            self._rows.popitem(last=False)
            self.forgotten += 1

    def drop(self, version: int) -> None:
        """Forget what the index has: the rows of versions up to this one, but for those that are held."""
        self._indexed = version
        version = min((version, *self._holders))
        for asset_id in [key for key, fresh in self._rows.items() if fresh.version <= version]:
            del self._rows[asset_id]
        if not self._rows:
            self.forgotten = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """What the index lacks now stays: who asks it now and looks here later would find it in neither."""
        version = self._indexed
        self._holders[version] += 1
        try:
            yield
        finally:
            self._holders[version] -= 1
            if not self._holders[version]:
                del self._holders[version]
                if version < self._indexed:
                    self.drop(self._indexed)

    def age_s(self) -> float:
        """How long the oldest row has waited for the index."""
        oldest = next(iter(self._rows.values()), None)
        return time.monotonic() - oldest.seen_at if oldest else 0.0
