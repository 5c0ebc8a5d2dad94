"""What the index is made of, read from the catalogue: newest rows, and the vectors that belong to them.

Blocking: the keeper runs it in its thread. A vector stands only in the row that made it; later rows of the
asset have none and name its maker in `embedding_by`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dam.catalogue.feed import VERSION, read_changes
from dam.catalogue.row import SCHEMA
from dam.search.packing import newest_of_each, pack
from dam.search.schema import own_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from dam.catalogue.storage import TableHandle

ROWS_AT_ONCE: Final = 4096
_IDS_AT_ONCE: Final = 256
_VECTOR_COLUMNS: Final = ["id", "embedding_by", "embedding"]
_MAKERS: Final = ("id", "revision", "embedding_by", "recorded_at")


def read_feed(handle: TableHandle, since: int, until: int) -> pa.Table:
    """The newest row of each asset that these versions changed, `embedding` included where it stands in it.

    An asset that was both embedded and edited in them keeps the vector of the former.

    Raises:
        FeedUnreadableError: the feed does not reach back so far.
        CatalogueUnavailableError: the table cannot be reached.
    """
    batches = list(read_changes(handle, since, until))
    if not batches:
        return SCHEMA.empty_table()
    rows = pa.Table.from_batches(batches).drop_columns([VERSION])
    newest = rows.take(newest_of_each(pack(rows["id"]), rows["revision"].to_numpy()))
    embedded = rows.filter(pc.is_valid(rows["embedding"]))
    if embedded.num_rows == 0 or newest.num_rows == rows.num_rows:
        return newest
    made = embedded.take(newest_of_each(pack(embedded["id"]), embedded["revision"].to_numpy()))
    vectors = {_key(row): row["embedding"] for row in made.select(_VECTOR_COLUMNS).to_pylist()}
    kept = [vectors.get(_key(row)) for row in newest.select(["id", "embedding_by"]).to_pylist()]
    return newest.set_column(
        newest.column_names.index("embedding"), "embedding", pa.array(kept, pa.list_(pa.float32()))
    )


def read_newest(handle: TableHandle) -> Iterator[pa.Table]:
    """The newest row of every asset, with `embedding` where it stands in it, a few thousand at a time.

    Two passes over the table: the first keeps 24 bytes for each revision, to know which is the newest.
    """
    ids, revisions = [], []
    for batch in handle.scan(["id", "revision"]):
        ids.append(pack(batch.column("id")))
        revisions.append(batch.column("revision").to_numpy())
    if not ids:
        return
    all_ids, all_revisions = np.concatenate(ids), np.concatenate(revisions)
    newest = newest_of_each(all_ids, all_revisions)
    known, last = all_ids[newest], all_revisions[newest]
    del ids, revisions, all_ids, all_revisions
    for batch in handle.scan(SCHEMA.names):
        packed = pack(batch.column("id"))
        is_newest = last[np.searchsorted(known, packed)] == batch.column("revision").to_numpy()
        rows = pa.Table.from_batches([batch]).filter(pa.array(is_newest))
        for at in range(0, rows.num_rows, ROWS_AT_ONCE):
            yield rows.slice(at, ROWS_AT_ONCE)


def read_vectors(handle: TableHandle, makers: dict[str, str], dim: int) -> dict[str, NDArray[np.float32]]:
    """The vector of each of these assets that its maker (`embedding_by`) made, where it has `dim` numbers."""
    found: dict[str, tuple[int, NDArray[np.float32]]] = {}
    ids = sorted(makers)
    for at in range(0, len(ids), _IDS_AT_ONCE):
        for row in _scan_embedded(handle, ids[at : at + _IDS_AT_ONCE]):
            before = found.get(row["id"], (0, None))[0]
            is_its = row["embedding_by"] == makers[row["id"]] and len(row["embedding"]) == dim
            if is_its and row["revision"] > before:
                found[row["id"]] = (row["revision"], np.array(row["embedding"], np.float32))
    return {asset_id: vector for asset_id, (_, vector) in found.items()}


def find_model(handle: TableHandle) -> tuple[str, int] | None:
    """Whose vectors the index is to hold: the newest one's maker, with its dimension; None without any."""
    best: tuple[Any, str] | None = None
    for batch in handle.scan(_MAKERS, "event = 'enriched' AND embedding_by IS NOT NULL"):
        at = int(np.argmax(batch.column("recorded_at").cast(pa.int64()).to_numpy())) if len(batch) else -1
        if at >= 0 and (best is None or batch.column("recorded_at")[at].as_py() > best[0]):
            best = (batch.column("recorded_at")[at].as_py(), batch.column("embedding_by")[at].as_py())
    if best is None:
        return None
    quoted = best[1].replace("'", "''")
    for batch in handle.scan(["embedding"], f"embedding_by = '{quoted}' AND embedding IS NOT NULL"):
        if len(batch):
            return best[1], len(batch.column("embedding")[0])
    return None


def newest_model(rows: pa.Table) -> tuple[str, int] | None:
    """The same among these rows."""
    embedded = rows.filter(pc.and_(pc.is_valid(rows["embedding"]), pc.is_valid(rows["embedding_by"])))
    if not embedded.num_rows:
        return None
    last = int(np.argmax(embedded["recorded_at"].cast(pa.int64()).to_numpy()))
    return embedded["embedding_by"][last].as_py(), len(embedded["embedding"][last])


def missing_vectors(rows: pa.Table, model: str | None, dim: int) -> dict[str, str]:
    """Ids of the rows that have a vector of `model` elsewhere, each with its maker."""
    lacking = rows.filter(pa.array(~own_vectors(rows, model, dim))).select(["id", "embedding_by"])
    return {
        row["id"]: row["embedding_by"]
        for row in lacking.to_pylist()
        if row["embedding_by"] is not None and row["embedding_by"] == model
    }


def _scan_embedded(handle: TableHandle, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    listed = ", ".join(map(repr, ids))
    predicate = f"id >= '{ids[0]}' AND id <= '{ids[-1]}' AND id IN ({listed}) AND embedding IS NOT NULL"
    for batch in handle.scan(["id", "revision", "embedding_by", "embedding"], predicate):
        yield from batch.to_pylist()


def _key(row: dict[str, Any]) -> tuple[str, str | None]:
    return row["id"], row["embedding_by"]
