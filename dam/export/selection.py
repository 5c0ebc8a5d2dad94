"""Which assets are exported: the filters that the gallery's lists have, judged on catalogue rows.

The command line makes one; the exporter asks it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from dam.catalogue.row import PURGED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.catalogue import Row

Orientation = Literal["landscape", "portrait", "square"]

COLUMNS: Final = (
    "id",
    "revision",
    "event",
    "status",
    "asset_type",
    "mime_type",
    "tags",
    "rating",
    "embedding_by",
    "width",
    "height",
    "size_bytes",
    "received_at",
)
"""What a filter may look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """An asset must pass all of them; `since` and `until` are days of arrival (UTC), both included."""

    statuses: tuple[str, ...] = ("ready",)
    asset_type: str | None = None
    mime: str | None = None
    tags: tuple[str, ...] = ()
    model: str | None = None
    orientation: Orientation | None = None
    since: date | None = None
    until: date | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    rating: int | None = None

    def is_everything(self) -> bool:
        """Whether no filter leaves out a live asset."""
        unset = Selection()
        others = (field.name for field in fields(self) if field.name != "statuses")
        return "ready" in self.statuses and all(
            getattr(self, name) == getattr(unset, name) for name in others
        )

    def passes_row(self, row: Row) -> bool:
        """The same for a whole row."""
        return self.passes({name: getattr(row, name) for name in COLUMNS})

    def passes(self, values: Mapping[str, Any]) -> bool:
        """Whether the current row of an asset, with at least `COLUMNS`, is to be exported."""
        equal = {"asset_type": self.asset_type, "mime_type": self.mime, "embedding_by": self.model}
        return (
            values["status"] in self.statuses
            and values["event"] != PURGED
            and all(wanted is None or values[name] == wanted for name, wanted in equal.items())
            and set(self.tags) <= set(values["tags"] or ())
            and _is_within(values["size_bytes"] or 0, self.min_bytes, self.max_bytes)
            and _is_within(-1 if values["rating"] is None else values["rating"], self.rating, None)
            and self._came_in_time(values)
            and self._is_oriented(values["width"] or 0, values["height"] or 0)
        )

    def _came_in_time(self, values: Mapping[str, Any]) -> bool:
        if self.since is None and self.until is None:
            return True
        received = values["received_at"]
        end = self.until + timedelta(days=1) if self.until else None
        return received is not None and (
            (self.since is None or received.date() >= self.since) and (end is None or received.date() < end)
        )

    def _is_oriented(self, width: int, height: int) -> bool:
        if self.orientation is None:
            return True
        shapes = {"landscape": width > height, "portrait": width < height, "square": width == height}
        return width > 0 and height > 0 and shapes[self.orientation]


def _is_within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
