"""Exact search without an index, as `search` measures it: NumPy in memory, NumPy and DuckDB over the Parquet.

NumPy in memory is also the truth that recall is held against.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.catalogues import DIM, Catalogue
from benchmarks.search_requests import NEAREST
from dam.catalogue.storage import TableHandle
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from dam.settings import DamSettings

_BATCH_ROWS: Final = 8192


def find_truth(
    catalogue: Catalogue, queries: Sequence[NDArray[np.float32]]
) -> tuple[list[frozenset[str]], float]:
    """The nearest ready assets of each query, and the median time of one scan in memory."""
    hidden = np.where(catalogue.is_ready, np.float32(0), np.float32(-2))
    truth, times = [], []
    for query in queries:
        started = time.perf_counter()
        scores = catalogue.vectors @ query + hidden
        nearest = np.argpartition(-scores, NEAREST)[:NEAREST]
        times.append((time.perf_counter() - started) * 1000)
        truth.append(frozenset(catalogue.ids[at] for at in nearest))
    return truth, round(float(np.median(times)), 2)


def scan_parquet(
    settings: DamSettings,
    queries: Sequence[NDArray[np.float32]],
    truth: Sequence[frozenset[str]],
    words: Sequence[str],
) -> dict[str, float]:
    """Median times of scans of the catalogue's files, each checked against the truth."""
    uris = TableHandle.open(*delta_location(settings)).delta.file_uris()
    files = [uri.removeprefix("file://") for uri in uris]
    with duckdb.connect() as connection:

        def near_by_duckdb(query: NDArray[np.float32]) -> frozenset[str]:
            rows = connection.execute(_NEAR, [files, query.tolist()]).fetchall()
            return frozenset(str(row[0]) for row in rows)

        near = _time_scans(near_by_duckdb, queries, truth)
        named = _time_words(connection, files, words)
    return {
        "numpy_parquet_exact_ms": _time_scans(lambda query: _near_by_numpy(files, query), queries, truth),
        "duckdb_parquet_exact_ms": near,
        "duckdb_parquet_words_ms": named,
    }


_NEAR: Final = f"""
SELECT id FROM read_parquet($1) WHERE status = 'ready' AND embedding IS NOT NULL
ORDER BY array_inner_product(embedding::FLOAT[{DIM}], $2::FLOAT[{DIM}]) DESC LIMIT {NEAREST}
"""  # noqa: S608 - our own numbers
_NAMED: Final = "SELECT id FROM read_parquet($1) WHERE status = 'ready' AND caption ILIKE $2 LIMIT 50"


def _near_by_numpy(files: Sequence[str], query: NDArray[np.float32]) -> frozenset[str]:
    """File after file, a few thousand rows at a time, so that memory does not grow with the catalogue."""
    scores, ids = np.empty(0, np.float32), np.empty(0, object)
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(_BATCH_ROWS, columns=["id", "status", "embedding"]):
            is_sought = pc.and_(pc.equal(batch["status"], "ready"), pc.is_valid(batch["embedding"]))
            ready = batch.filter(is_sought)
            matrix = ready["embedding"].flatten().to_numpy().reshape(-1, DIM)
            scores = np.concatenate([scores, matrix @ query])
            ids = np.concatenate([ids, ready["id"].to_numpy(zero_copy_only=False)])
            best = np.argsort(-scores)[:NEAREST]
            scores, ids = scores[best], ids[best]
    return frozenset(ids.tolist())


def _time_scans(
    scan: Callable[[NDArray[np.float32]], frozenset[str]],
    queries: Sequence[NDArray[np.float32]],
    truth: Sequence[frozenset[str]],
) -> float:
    times = []
    for query, nearest in zip(queries, truth, strict=True):
        started = time.perf_counter()
        found = scan(query)
        times.append((time.perf_counter() - started) * 1000)
        if len(found & nearest) < NEAREST - 1:  # two that are equally near may change places
            raise RuntimeError(f"An exact scan found {len(found & nearest)} of the {NEAREST} nearest.")
    return round(float(np.median(times)), 1)


def _time_words(connection: duckdb.DuckDBPyConnection, files: list[str], words: Sequence[str]) -> float:
    times: list[Any] = []
    for text in words:
        started = time.perf_counter()
        connection.execute(_NAMED, [files, f"%{text}%"]).fetchall()
        times.append((time.perf_counter() - started) * 1000)
    return round(float(np.median(times)), 1)
