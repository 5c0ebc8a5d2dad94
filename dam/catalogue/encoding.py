"""Rows to Arrow and back, and whether a value fits its column.

The planner and the table call this. Arrow alone is too kind a judge: it cuts 1.5 to 1, takes bytes for text
and a naive time for UTC, so Python types are checked before it sees them. No I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

import pyarrow as pa

from dam.catalogue.row import SCHEMA, Row

OWN_COLUMNS: Final = frozenset(
    {"id", "revision", "change_id", "schema_version", "event", "recorded_at", "actor", "status"}
)
"""Columns that the catalogue fills in itself; a change's `values` may not name them."""

_ROW_VALUES: Final = attrgetter(*[field.name for field in fields(Row)])


def find_fault(values: Mapping[str, Any]) -> str | None:
    """Why these values of a change can never be written, as a sentence; None where they can."""
    for name, value in values.items():
        if name in OWN_COLUMNS or SCHEMA.get_field_index(name) < 0:
            return f"A change cannot set the column {name!r}: the catalogue has none, or fills it in itself."
        fault = find_misfit(name, value)
        if fault:
            return fault
    return None


def find_misfit(name: str, value: Any) -> str | None:
    """Why `value` does not fit the column `name`; None where it does."""
    column = SCHEMA.field(name)
    if value is None:
        return None if column.nullable else f"{name} is missing."
    if not _has_type(value, column.type):
        return f"{name} must be {column.type}, and is {type(value).__name__} {str(value)[:80]!a}."
    try:
        pa.array([value], column.type)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        return f"{name} does not fit its column ({column.type}): {error}."
    return None


def rows_to_table(rows: Sequence[Row]) -> pa.Table:
    """Rows as one Arrow table in the catalogue's schema; the values must have been found to fit."""
    columns = zip(*map(_ROW_VALUES, rows), strict=True) if rows else ([] for _ in SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def table_to_rows(table: pa.Table) -> list[Row]:
    """Arrow rows as `Row`s; columns that are not read stay None, those of a later schema are left out."""
    known = table.select([name for name in table.column_names if SCHEMA.get_field_index(name) >= 0])
    return [Row(**values) for values in known.to_pylist()]


def _has_type(value: Any, kind: pa.DataType) -> bool:
    if pa.types.is_string(kind):
        return isinstance(value, str)
    if pa.types.is_integer(kind):
        return isinstance(value, int) and not isinstance(value, bool)
    if pa.types.is_floating(kind):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if pa.types.is_timestamp(kind):
        return isinstance(value, datetime) and value.tzinfo is not None
    # A vector may be a numpy array; Arrow judges its items. Of tags it would take bytes.
    is_list = not isinstance(value, (str, bytes, Mapping))
    return is_list and (kind.value_type != pa.string() or all(isinstance(item, str) for item in value))
