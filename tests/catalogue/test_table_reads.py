"""The table as it is read: few files for an id, other tools, a bucket that goes away and comes back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from dam.catalogue import Catalogue, Committed, Repeated
from dam.catalogue.row import SCHEMA
from dam.errors import CatalogueUnavailableError
from dam.settings import DamSettings
from dam.store.delta import delta_location
from tests.catalogue.changes import change
from tests.catalogue.rows import VALUES, enrich
from tests.store.opening import bucket_settings

if TYPE_CHECKING:
    from dam.catalogue import Change
    from tests.services.radosgw import Radosgw


async def test_a_read_by_id_opens_only_the_files_that_may_hold_it(tmp_path: Path) -> None:
    """Ids sort by time, so each file has a range of them: with all other files gone, the read still works."""
    catalogue = await Catalogue.open(DamSettings(data_dir=tmp_path))
    try:
        batches = [await enrich(catalogue, 40) for _ in range(6)]
        wanted = {row.id for row in batches[2][:3]} | {batches[4][7].id}
        uris = catalogue._handle.delta.file_uris()
        holding = [uri for uri in uris if wanted & ids_in(uri)]
        assert len(holding) == 2
        for uri in set(uris) - set(holding):
            remove(uri)
        assert set(await catalogue.current(wanted)) == wanted
        with pytest.raises(CatalogueUnavailableError):
            await catalogue.current([batches[0][0].id])
    finally:
        await catalogue.close()


def remove(uri: str) -> None:
    Path(uri).unlink()


def ids_in(uri: str) -> set[str]:
    return set(pl.read_parquet(uri, columns=["id"])["id"])


async def test_other_tools_read_the_table(catalogue: Catalogue, settings: DamSettings) -> None:
    """`deltalake`, pandas and Polars through its log; DuckDB, where files are at hand, through its files."""
    [row] = await enrich(catalogue, 1, **VALUES)
    await catalogue.commit([change(row.id, 1, "edited", caption="new")])
    uri, options = delta_location(settings)
    table = DeltaTable(uri, storage_options=options)
    frame = table.to_pandas().sort_values("revision")
    assert list(frame["caption"]) == [VALUES["caption"], "new"]
    assert list(frame.columns) == SCHEMA.names
    access = {name: value for name, value in options.items() if name.startswith("aws_")}
    polars = pl.read_delta(uri, storage_options=access).sort("revision")
    assert polars["caption"].to_list() == [VALUES["caption"], "new"]
    assert polars["received_at"][0] == VALUES["received_at"]
    if not options:
        files = duckdb.connect().read_parquet(f"{uri}/*.parquet")
        found = files.aggregate("arg_max(caption, revision), max(revision), len(any_value(tags))", "id")
        assert found.fetchall() == [("new", 2, 3)]


async def test_an_outage_is_an_error_and_then_over(radosgw: Radosgw) -> None:
    """Killed: commits and reads fail in bounded time. Back: the same change is committed, once."""
    settings = bucket_settings(radosgw, store_max_attempts=2, store_timeout_s=1)
    catalogue = await Catalogue.open(settings)
    try:
        await enrich(catalogue, 1)
        asked: list[Change] = [change()]
        radosgw.kill()
        began = time.monotonic()
        with pytest.raises(CatalogueUnavailableError):
            await catalogue.commit(asked)
        with pytest.raises(CatalogueUnavailableError):
            await catalogue.current([asked[0].asset_id])
        with pytest.raises(CatalogueUnavailableError, match="cannot be opened"):
            await Catalogue.open(settings)
        assert time.monotonic() - began < 45
        await asyncio.to_thread(radosgw.restart)
        [outcome] = await catalogue.commit(asked)
        assert isinstance(outcome, (Committed, Repeated))
        assert len(await catalogue.history(asked[0].asset_id)) == 1
    finally:
        await asyncio.to_thread(radosgw.restart)
        await catalogue.close()
