"""Rows to Arrow and back: what fits a column, and that nothing is changed on the way."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dam.catalogue.encoding import OWN_COLUMNS, find_fault, find_misfit, rows_to_table, table_to_rows
from dam.catalogue.row import SCHEMA, SNAPSHOT_SCHEMA, Row
from dam.ids import new_id

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
text = st.text(st.characters(exclude_categories=["Cs"]))
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
rows = st.builds(
    Row,
    id=text,
    caption=st.none() | text,
    revision=st.integers(1, 2**63 - 1),
    change_id=text,
    event=st.just("edited"),
    recorded_at=moments,
    captured_at=st.none() | moments,
    actor=text,
    status=st.just("ready"),
    size_bytes=st.none() | st.integers(0, 2**63 - 1),
    width=st.none() | st.integers(-(2**31), 2**31 - 1),
    duration_s=st.none() | st.floats(allow_nan=False),
    tags=st.none() | st.lists(text, max_size=3),
    embedding=st.none() | st.lists(st.floats(width=32, allow_nan=False), max_size=3),
)


def test_a_row_has_the_schemas_columns_in_its_order() -> None:
    """The first six are the original project's; the snapshot lacks the vector alone."""
    names = [field.name for field in fields(Row)]
    assert names == SCHEMA.names
    assert names[:6] == ["id", "filename", "r2_key", "vector_key", "mime_type", "caption"]
    assert [name for name in names if name not in SNAPSHOT_SCHEMA.names] == ["embedding"]
    assert set(names) > OWN_COLUMNS


@settings(deadline=None)  # the machine may be busy
@given(st.lists(rows, max_size=4))
def test_rows_come_back_as_they_were(given_rows: list[Row]) -> None:
    """Every value, to the microsecond and the last bit."""
    table = rows_to_table(given_rows)
    assert table.schema.equals(SCHEMA)
    assert table_to_rows(table) == given_rows


def test_columns_that_are_missing_or_unknown_do_no_harm() -> None:
    """A reader that asks for few gets None for the rest; a later schema's column is left out."""
    row = Row(
        id=new_id(), revision=1, change_id="c", event="edited", recorded_at=NOW, actor="a", status="ready"
    )
    table = rows_to_table([row]).drop_columns(["embedding", "caption"])
    table = table.append_column("of_the_future", table.column("id"))
    assert table_to_rows(table) == [row]


FITTING: list[tuple[str, Any]] = [
    ("caption", ""),
    ("caption", "\U0001f98a\0"),
    ("width", -(2**31)),
    ("size_bytes", 2**63 - 1),
    ("duration_s", 3),
    ("duration_s", math.inf),
    ("captured_at", NOW),
    ("captured_at", datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5)))),
    ("tags", []),
    ("tags", ("a", "b")),
    ("embedding", np.ones(4, np.float32)),
    ("embedding", [1, 2.5]),
    ("rating", None),
]
MISFITS: list[tuple[str, Any]] = [
    ("caption", 3),
    ("caption", b"bytes"),
    ("caption", "\ud800"),
    ("width", 1.5),
    ("width", True),
    ("width", "3"),
    ("width", 2**31),
    ("size_bytes", 2**63),
    ("duration_s", "1"),
    ("captured_at", datetime(2026, 1, 1)),  # noqa: DTZ001 - a naive time is the point
    ("captured_at", "2026-01-01"),
    ("tags", "abc"),
    ("tags", [b"a"]),
    ("tags", ["a", 1]),
    ("tags", {"a": 1}),
    ("embedding", ["x"]),
    ("embedding", 1.0),
    ("embedding", [[1.0]]),
    ("actor", None),
]


@pytest.mark.parametrize(("name", "value"), FITTING)
def test_what_fits_is_taken(name: str, value: Any) -> None:
    """Also the shapes that callers really have: tuples, numpy vectors, other time zones."""
    assert find_misfit(name, value) is None


@pytest.mark.parametrize(("name", "value"), MISFITS)
def test_what_does_not_fit_is_named(name: str, value: Any) -> None:
    """Nothing is cut, rounded or guessed; the sentence begins with the column."""
    fault = find_misfit(name, value)
    assert fault is not None
    assert fault.startswith(f"{name} ")
    assert fault.isprintable()


@pytest.mark.parametrize("name", sorted(OWN_COLUMNS))
def test_a_change_cannot_set_what_the_catalogue_fills_in(name: str) -> None:
    """Revision, ids and the like."""
    fault = find_fault({"caption": "x", name: "x"})
    assert fault is not None
    assert repr(name) in fault
