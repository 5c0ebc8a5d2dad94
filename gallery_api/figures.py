"""The catalogue in numbers, the state of the index, and the models in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gallery_api.answers.operations import IndexState, Models, Month, Stats
from gallery_api.filters import Filters
from gallery_api.listing.columns import PURGED
from gallery_api.listing.selecting import EPOCH, Selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dam.search.reader import IndexReader
    from gallery_api.bento import Bento
    from gallery_api.following import Follower
    from gallery_api.listing.columns import Columns

_MOST_TAGS: Final = 100


class Figures:
    """One for the whole app."""

    def __init__(self, follower: Follower, index: IndexReader, bento: Bento) -> None:
        self._follower = follower
        self._index = index
        self._bento = bento

    async def count(self) -> Stats:
        """Everything, as of now."""
        await self._follower.catch_up()
        columns = self._follower.columns
        ready = Selection(columns, Filters()).mask()
        by_status = columns.codes["status"].count(columns["status"])
        by_status.pop(PURGED, None)
        failed = Selection(columns, Filters(status="failed")).mask()
        return Stats(
            total=int(ready.sum()),
            bytes=int(columns["size_bytes"][ready].sum()),
            by_type=_count(columns, "asset_type", ready),
            by_mime=_count(columns, "mime_type", ready),
            by_status=by_status,
            by_model=_count(columns, "embedding_by", ready),
            by_month=_count_months(columns, ready),
            by_tag=columns.tags.count(columns["epoch"], ready, _MOST_TAGS),
            failures_by_code=_count(columns, "error_code", failed),
            catalogue_version=self._follower.version,
            index=self.describe_index(),
        )

    def describe_index(self) -> IndexState:
        """How far the index has got."""
        state, fresh = self._index.state, self._follower.fresh
        behind = {"behind": len(fresh) + fresh.forgotten, "behind_s": round(fresh.age_s(), 3)}
        if state is None:
            return IndexState(state="missing", **behind)
        known: dict[str, Any] = state.model_dump(
            include={"version", "rows", "model", "dim", "approximate", "updated_at"}
        )
        return IndexState(state="ready", **known, **behind)

    async def show_models(self) -> Models:
        """The Bento's own words, or why there are none."""
        return await self._bento.describe_models()


def _count(columns: Columns, name: str, mask: NDArray[np.bool_]) -> dict[str, int]:
    return columns.codes[name].count(columns[name][mask])


def _count_months(columns: Columns, mask: NDArray[np.bool_]) -> list[Month]:
    """Oldest first."""
    days = columns["day"][mask]
    if not len(days):
        return []
    months = (np.datetime64(EPOCH, "D") + days.astype("timedelta64[D]")).astype("datetime64[M]")
    kinds = columns["asset_type"][mask].astype(np.int64)
    # One number for each pair, so that one pass counts them.
    pairs, counts = np.unique(months.astype(np.int64) * 256 + kinds, return_counts=True)
    return [
        Month(
            month=str(np.datetime64(int(pair) >> 8, "M")),
            type=columns.codes["asset_type"].text(int(pair) & 255),
            count=int(count),
        )
        for pair, count in zip(pairs, counts, strict=True)
    ]
