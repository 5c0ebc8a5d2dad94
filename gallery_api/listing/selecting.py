"""Which assets pass the filters: pages of them in order, all of them as a mask, and sums by day.

Pure: works on the columns as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from dam.search.packing import unpack
from gallery_api.answers.asset import Day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from gallery_api.filters import Filters
    from gallery_api.listing.columns import Columns

EPOCH: Final = date(1970, 1, 1)
_CHUNK: Final = 4096

Test = "Callable[[NDArray[np.intp]], NDArray[np.bool_]]"


@dataclass(frozen=True, slots=True)
class Page:
    """Ids, newest first, and whether there are more."""

    ids: list[str]
    has_more: bool


class Selection:
    """The assets that pass `filters`, as of the moment it is asked."""

    def __init__(self, columns: Columns, filters: Filters) -> None:
        self._columns = columns
        self._tests = list(_make_tests(columns, filters))

    def page(self, limit: int, before: str | None) -> Page:
        """The `limit` newest whose id is smaller than `before`."""
        at = self._columns.size if before is None else self._columns.place(before)
        found: list[NDArray[np.intp]] = []
        count = 0
        while at > 0 and count <= limit:
            start = max(0, at - _CHUNK)
            slots = self._columns.order[start:at][::-1]
            passing = slots[self._test(slots)]
            found.append(passing)
            count += len(passing)
            at = start
        slots = np.concatenate(found) if found else np.empty(0, np.intp)
        return Page(unpack(self._columns["id"][slots[:limit]]), len(slots) > limit)

    def mask(self) -> NDArray[np.bool_]:
        """Whether each slot passes."""
        return self._test(slice(None))

    def count(self) -> int:
        """How many pass."""
        return int(self.mask().sum())

    def passing(self, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that pass."""
        slots = self._columns.find_many(ids)
        passes = slots >= 0
        passes[passes] = self._test(slots[passes])
        return {asset_id for asset_id, is_in in zip(ids, passes, strict=True) if is_in}

    def days(self) -> list[Day]:
        """Days with assets that pass, newest first."""
        days, ratios = self._columns["day"], self._columns["ratio"]
        if not len(days):
            return []
        first = int(days.min())
        counts = np.zeros(int(days.max()) - first + 1, np.int64)
        sums = np.zeros(len(counts))
        for start in range(0, len(days), _CHUNK):  # whole columns of a million need 35 MB beside themselves
            piece = slice(start, start + _CHUNK)
            passes = self._test(piece)
            low = int(days[piece].min())
            at, sides = days[piece][passes] - low, ratios[piece][passes]
            count, total = np.bincount(at), np.bincount(at, np.where(sides > 0, sides, 1))
            counts[low - first :][: len(count)] += count
            sums[low - first :][: len(total)] += total
        return [
            Day(
                day=EPOCH + timedelta(days=first + int(at)),
                count=int(counts[at]),
                ratio_sum=round(float(sums[at]), 4),
            )
            for at in np.flatnonzero(counts)[::-1]
        ]

    def _test(self, slots: NDArray[np.intp] | slice) -> NDArray[np.bool_]:
        first, *others = self._tests  # the status is asked for at any rate
        passes: NDArray[np.bool_] = first(slots)
        for test in others:
            passes &= test(slots)
        return passes


def _make_tests(columns: Columns, filters: Filters) -> Iterator[Callable[..., NDArray[np.bool_]]]:
    """One test for each filter that is set; each takes slots."""
    coded = {
        "status": filters.status or "ready",
        "asset_type": filters.asset_type,
        "mime_type": filters.mime,
        "embedding_by": filters.model,
    }
    for name, text in coded.items():
        if text is not None:
            yield _equals(columns, name, columns.codes[name].find(text))
    for name, low, high in _ranges(filters):
        if low is not None or high is not None:
            yield _within(columns, name, low, high)
    if filters.orientation:
        yield _is_oriented(columns, filters.orientation)
    for tag in filters.tag:
        yield _has_tag(columns, tag)


def _ranges(filters: Filters) -> Iterator[tuple[str, float | None, float | None]]:
    yield "day", _number(filters.start), _number(filters.end)
    yield "day", _number(filters.day), _number(filters.day)
    yield "size_bytes", filters.min_bytes, filters.max_bytes
    yield "rating", filters.rating, None


def _number(day: date | None) -> int | None:
    return None if day is None else (day - EPOCH).days


def _equals(columns: Columns, name: str, code: int | None) -> Callable[..., NDArray[np.bool_]]:
    wanted = -1 if code is None else code
    return lambda slots: np.asarray(columns[name][slots] == wanted)


def _within(
    columns: Columns, name: str, low: float | None, high: float | None
) -> Callable[..., NDArray[np.bool_]]:
    def test(slots: NDArray[np.intp]) -> NDArray[np.bool_]:
        values = columns[name][slots]
        passes = np.ones(len(values), bool)
        if low is not None:
            passes &= values >= low
        if high is not None:
            passes &= values <= high
        return passes

    return test


def _is_oriented(columns: Columns, orientation: str) -> Callable[..., NDArray[np.bool_]]:
    def test(slots: NDArray[np.intp]) -> NDArray[np.bool_]:
        ratios: NDArray[np.float32] = columns["ratio"][slots]
        shape = {"square": ratios == 1, "landscape": ratios > 1, "portrait": (ratios > 0) & (ratios < 1)}
        return np.asarray(shape[orientation])

    return test


def _has_tag(columns: Columns, tag: str) -> Callable[..., NDArray[np.bool_]]:
    members = np.zeros(columns.size, bool)
    members[columns.tags.members(tag, columns["epoch"])] = True
    return lambda slots: members[slots]
