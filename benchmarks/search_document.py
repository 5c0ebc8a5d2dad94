"""Writes what `benchmarks.search` measured into `docs/searching-parquet.md`: its table, and its plot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.search_plot import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "searching-parquet.md"
PLOT: Final = DOCS / "searching-parquet.svg"
_BEGIN: Final = "<!-- measured: begin -->"
_END: Final = "<!-- measured: end -->"

Run = dict[str, Any]


def _pair(name: str) -> Callable[[Run], str]:
    return lambda run: f"{run[name]['p50_ms']:.1f} / {run[name]['p95_ms']:.1f} ms"


def _plain(name: str, unit: str) -> Callable[[Run], str]:
    return lambda run: f"{run[name]:,.0f} {unit}"


_ROWS: Final[Sequence[tuple[str, Callable[[Run], str]]]] = (
    ("assets", lambda run: f"{run['assets']:,}"),
    ("**without an index, exact**", lambda _: ""),
    ("DuckDB over the Parquet", _plain("duckdb_parquet_exact_ms", "ms")),
    ("NumPy over the Parquet", _plain("numpy_parquet_exact_ms", "ms")),
    ("NumPy, all vectors in memory", lambda run: f"{run['numpy_memory_exact_ms']:,.1f} ms"),
    ("DuckDB, words in captions", _plain("duckdb_parquet_words_ms", "ms")),
    ("**with the index, over HTTP, p50 / p95**", lambda _: ""),
    ("`/search` by meaning", _pair("search_semantic")),
    ("… its recall@10", lambda run: f"{run['recall_at_10']:.3f}"),
    ("`/search` hybrid", _pair("search_hybrid")),
    ("`/search` by words", _pair("search_text")),
    ("`/search` like an asset", _pair("search_like")),
    ("`/search` by meaning, tag and type", _pair("search_filtered")),
    ("`/assets`, first page", _pair("assets_page")),
    ("`/assets`, tag and orientation", _pair("assets_page_filtered")),
    ("a fixed loop of Python, beside them", lambda run: f"{run['fixed_loop_ms']:.1f} ms"),
    ("**what it costs**", lambda _: ""),
    ("building the index", lambda run: f"{run['index_build_s']:,.1f} s"),
    ("memory of the gallery, at most", _plain("gallery_peak_mb", "MB")),
    ("memory of `dam maintain` as it builds", _plain("maintain_peak_mb", "MB")),
)


def write_document(runs: Sequence[Run]) -> None:
    """Put the table between its marks, and draw the plot. Raises ValueError where there are no marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has no place for the figures: {_BEGIN} … {_END}")
    PAGE.write_text(f"{before}{_BEGIN}\n{_make_table(runs)}\n{_END}{after}", encoding="utf-8")
    PLOT.write_text(draw(runs), encoding="utf-8")


def _make_table(runs: Sequence[Run]) -> str:
    """One column for each size: three sizes are fewer than the figures."""
    head, *rows = [[name, *(show(run) for run in runs)] for name, show in _ROWS]
    lines = [head, ["---", *("---:" for _ in runs)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
