"""The filters of an export: the same as those of the gallery's lists."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dam.export.selection import Selection
from dam.ids import new_id
from tests.gallery.test_lists import FILTERS
from tests.maintenance.rows import make_row

_NAMES = {"type": "asset_type", "from": "since", "to": "until", "tag": "tags", "status": "statuses"}


def select(params: dict[str, Any]) -> Selection:
    """The gallery's parameters as the command line has them."""
    params = dict(params)
    if "day" in params:
        params["from"] = params["to"] = params.pop("day")
    values = {_NAMES.get(name, name): value for name, value in params.items()}
    for name in ("tags", "statuses"):
        if name in values:
            values[name] = tuple([values[name]] if isinstance(values[name], str) else values[name])
    for name in ("since", "until"):
        if name in values:
            values[name] = date.fromisoformat(values[name])
    return Selection(**values)


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 5, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(("params", "letters"), FILTERS)
def test_every_filter_leaves_what_the_gallery_would(params: dict[str, Any], letters: str) -> None:
    """On the rows, and with the answers, of the test of the gallery's lists."""
    known: dict[str, Any] = {
        "tags": None,
        "mime_type": "image/jpeg",
        "asset_type": "image",
        "width": 64,
        "height": 48,
        "size_bytes": 1700,
        "embedding_by": "bag@1",
    }
    rows = [
        {"tags": ["sea", "summer"], "rating": 4, "received_at": at(4), "size_bytes": 1001},
        {"mime_type": "image/png", "width": 30, "size_bytes": 1600, "received_at": at(4)},
        {"tags": ["sea"], "width": 48, "size_bytes": 2000, "rating": 3, "received_at": at(5)},
        {"embedding_by": "other@2", "size_bytes": 9000, "received_at": at(6), "tags": ["o'clock"]},
        {"status": "failed", "received_at": at(6)},
    ]
    selection = select(params)
    passing = [
        letter
        for letter, values in zip("abcde", rows, strict=True)
        if selection.passes_row(make_row(new_id(), **{**known, **values}))
    ]
    assert passing == list(letters)


def test_days_are_whole_and_both_included() -> None:
    """From the first moment of the one to the last of the other; what never arrived is in neither."""
    selection = Selection(since=date(2026, 5, 4), until=date(2026, 5, 4))
    hours = [(3, 23), (4, 0), (4, 23), (5, 0)]
    rows = [make_row(new_id(), received_at=at(*moment)) for moment in hours]
    assert [selection.passes_row(row) for row in rows] == [False, True, True, False]
    assert not selection.passes_row(make_row(new_id()))


def test_several_statuses_and_never_what_is_purged() -> None:
    """A purged asset has no bytes, whatever is asked for."""
    selection = Selection(statuses=("ready", "deleted"))
    assert selection.passes_row(make_row(new_id(), status="deleted"))
    assert not selection.passes_row(make_row(new_id(), status="failed"))
    purged = make_row(new_id(), status="deleted")
    assert not selection.passes({**_values(purged), "event": "purged"})


def _values(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}
