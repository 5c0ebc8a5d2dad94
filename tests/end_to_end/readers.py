"""Reads the published snapshot and the catalogue's table with the tools that analysts use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
from deltalake import DeltaTable

from dam import keys
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from pathlib import Path

    from dam.settings import DamSettings

COLUMNS = ["id", "filename", "r2_key", "vector_key", "mime_type", "caption"]
"""Those of the original project, in its order."""


def read_snapshot(bucket: Path) -> dict[str, list[dict[str, Any]]]:
    """The original project's columns, by each of three readers."""
    path = str(bucket / keys.SNAPSHOT)
    columns = ", ".join(COLUMNS)
    query = f"SELECT {columns} FROM '{path}' ORDER BY id"  # noqa: S608 - our own names
    return {
        "duckdb": [dict(zip(COLUMNS, row, strict=True)) for row in duckdb.execute(query).fetchall()],
        "pandas": pd.read_parquet(path)[COLUMNS].to_dict("records"),
        "polars": pl.read_parquet(path).select(COLUMNS).to_dicts(),
    }


def read_table(settings: DamSettings) -> list[dict[str, Any]]:
    """Every revision of every asset, by `deltalake`, as anyone would open the table."""
    uri, options = delta_location(settings)
    table = DeltaTable(uri, storage_options=options)
    return pl.from_arrow(table.to_pyarrow_table()).to_dicts()  # type: ignore[union-attr] # a table gives a frame
