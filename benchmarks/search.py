"""The gallery's search and lists at size, beside exact scans: `python -m benchmarks.search`.

For each size a catalogue is generated on local disk, `dam maintain` builds the index, and the real gallery is
asked over HTTP, one request after the other: searches by meaning, by words, by both, near an asset and with
filters; the first page of the assets, with and without filters. The text's vector comes from a stand-in for
the Bento, and the wait for it, which the gallery tells, is taken off. The same vectors are sought by exact
scans of the catalogue's Parquet with DuckDB and with NumPy, and in memory with NumPy: the truth of recall@10.

`--quick`: 10,000 assets, under a minute. `--document` writes table and plot of `docs/searching-parquet.md`.
Exit status 1 where an aim is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.catalogues import CENTRES, DIM, SEED, Catalogue, generate, reopen
from benchmarks.resident import Watch
from benchmarks.search_document import write_document
from benchmarks.search_requests import Requests, Sought
from benchmarks.search_scans import find_truth, scan_parquet
from benchmarks.search_service import build_index, running_bento, running_gallery
from dam import logs
from dam.settings import DamSettings

SIZES: Final = (10_000, 100_000, 1_000_000)
QUERIES: Final = 100
SCANS: Final = 3
RECALL: Final = 0.95
P50_MS: Final = {100_000: 15.0, 1_000_000: 30.0}
RESIDENT_MB: Final = {1_000_000: 400.0}
SEARCHES: Final = ("search_semantic", "search_hybrid", "search_text", "search_like")


async def measure(size: int, folder: Path) -> dict[str, Any]:
    """All figures of one size; everything is written below `folder`."""
    settings = DamSettings(data_dir=folder)
    catalogue, built = await make_catalogue(settings, size, folder)
    rng = np.random.default_rng(SEED + 1)
    numbers = rng.choice(np.flatnonzero(catalogue.is_ready), QUERIES, replace=False).tolist()
    queries = [catalogue.query(number, rng) for number in numbers]
    truth, memory_ms = find_truth(catalogue, queries)
    words = [catalogue.words(number) for number in numbers]
    sought = [
        Sought(text, catalogue.ids[number], nearest)
        for text, number, nearest in zip(words, numbers, truth, strict=True)
    ]
    async with (
        running_bento(dict(zip(words, queries, strict=True))) as url,
        running_gallery(settings, url) as (client, pid),
    ):
        watch = Watch({"gallery": pid})
        async with watch.over():
            served = await Requests(client, sought).measure()
    return {
        "assets": size,
        **built,
        "gallery_peak_mb": watch.peaks_mb()["gallery"],
        **served,
        "numpy_memory_exact_ms": memory_ms,
        **scan_parquet(settings, queries[:SCANS], truth[:SCANS], words[:SCANS]),
    }


async def make_catalogue(
    settings: DamSettings, size: int, folder: Path
) -> tuple[Catalogue, dict[str, float]]:
    """The catalogue with its index, and what they took; those that are in `folder` already are taken."""
    vectors, figures = folder / "vectors.f32", folder / "built.json"
    if figures.exists():
        return reopen(size, vectors), json.loads(figures.read_text())
    started = time.perf_counter()
    catalogue = generate(settings, size, vectors)
    generated_s = time.perf_counter() - started
    build = await build_index(folder)
    built = {
        "generate_s": round(generated_s, 1),
        "index_build_s": round(build.seconds, 1),
        "maintain_peak_mb": build.peak_mb,
    }
    figures.write_text(json.dumps(built))
    return catalogue, built


def judge(figures: dict[str, Any]) -> dict[str, bool]:
    """Which aims of this size are met."""
    size = figures["assets"]
    met = {"recall": figures["recall_at_10"] >= RECALL}
    if size in P50_MS:
        met["p50"] = max(figures[name]["p50_ms"] for name in SEARCHES) <= P50_MS[size]
    if size in RESIDENT_MB:
        met["resident"] = figures["gallery_peak_mb"] <= RESIDENT_MB[size]
    return met


async def run(sizes: list[int], kept: Path | None) -> list[dict[str, Any]]:
    """The figures of each size, told as soon as they are there; catalogues stay below `kept`, if given."""
    runs = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="dam-search-") as temporary:
            folder = kept / str(size) if kept else Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            figures = await measure(size, folder)
        figures["aims_met"] = judge(figures)
        scan_ms, search_ms = figures["duckdb_parquet_exact_ms"], figures["search_semantic"]["p50_ms"]
        figures["ratio"] = round(scan_ms / search_ms, 1)
        runs.append(figures)
        print(json.dumps(figures), file=sys.stderr)
    return runs


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{SIZES[0]:,} assets alone")
    parser.add_argument("--sizes", type=int, nargs="+", help="other numbers of assets")
    parser.add_argument("--document", action="store_true", help="write docs/searching-parquet.md's figures")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep catalogues here, and take them again"
    )
    arguments = parser.parse_args()
    logs.configure("WARNING", json=False)
    sizes = arguments.sizes or list(SIZES[:1] if arguments.quick else SIZES)
    runs = asyncio.run(run(sizes, arguments.keep))
    if arguments.document:
        write_document(runs)
    result = {
        "benchmark": "search",
        "quick": arguments.quick,
        "vectors": {"dim": DIM, "centres": CENTRES, "seed": SEED},
        "queries": QUERIES,
        "unit": "ms of one request or scan; MB of a million bytes",
        "ratio_of": "exact scan of the Parquet with DuckDB over search by meaning, p50",
        "ratio": runs[-1]["ratio"],
        "runs": runs,
    }
    print(json.dumps(result))
    return 0 if all(all(figures["aims_met"].values()) for figures in runs) else 1


if __name__ == "__main__":
    raise SystemExit(main())
