"""The plot of `docs/searching-parquet.md`: milliseconds over assets, both logarithmic, as SVG. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_LINES: Final[Sequence[tuple[str, str, Callable[[dict[str, Any]], float]]]] = (
    ("NumPy over the Parquet", "#92400e", lambda run: run["numpy_parquet_exact_ms"]),
    ("DuckDB over the Parquet", "#d97706", lambda run: run["duckdb_parquet_exact_ms"]),
    ("NumPy, vectors in memory", "#6b7280", lambda run: run["numpy_memory_exact_ms"]),
    ("/search hybrid", "#7c3aed", lambda run: run["search_hybrid"]["p50_ms"]),
    ("/search by meaning", "#2563eb", lambda run: run["search_semantic"]["p50_ms"]),
    ("/assets, first page", "#059669", lambda run: run["assets_page"]["p50_ms"]),
)
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 780, 420, 95, 205, 20, 55
_LABEL_HEIGHT: Final = 16.0


@dataclass(frozen=True, slots=True)
class _Axes:
    """From figures to pixels."""

    sizes: tuple[float, float]
    powers: tuple[int, int]

    def x(self, assets: float) -> float:
        low, high = self.sizes
        share = (math.log10(assets) - low) / ((high - low) or 1)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, ms: float) -> float:
        low, high = self.powers
        share = (math.log10(ms) - low) / ((high - low) or 1)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def draw(runs: Sequence[dict[str, Any]]) -> str:
    """The whole file."""
    sizes = [math.log10(run["assets"]) for run in runs]
    values = [math.log10(read(run)) for run in runs for _, _, read in _LINES]
    axes = _Axes((min(sizes), max(sizes)), (math.floor(min(values)), math.ceil(max(values))))
    box, font = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"', 'font-family="sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {font} role="img">',
        "<title>Milliseconds of one search or scan, by the number of assets</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        *_draw_grid(axes, runs),
        *_draw_lines(axes, runs),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _draw_grid(axes: _Axes, runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    for power in range(axes.powers[0], axes.powers[1] + 1):
        y, ends = axes.y(10.0**power), f'x1="{_LEFT}" x2="{_WIDTH - _RIGHT}"'
        yield f'<line {ends} y1="{y:.1f}" y2="{y:.1f}" stroke="#e5e7eb"/>'
        yield _write(_LEFT - 10, y + 4, f"{10.0**power:,g} ms", "end")
    for run in runs:
        yield _write(axes.x(run["assets"]), _HEIGHT - _BOTTOM + 20, f"{run['assets']:,}", "middle")
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield _write(middle, _HEIGHT - 12, "assets; median of one request or scan", "middle")


def _draw_lines(axes: _Axes, runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    ends = []
    for name, colour, read in _LINES:
        points = [(axes.x(run["assets"]), axes.y(read(run))) for run in runs]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in points:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
        ends.append((points[-1][1], name, colour))
    below = -math.inf
    for y, name, colour in sorted(ends):
        below = max(y, below + _LABEL_HEIGHT)  # labels of lines that end together stand below each other
        yield _write(_WIDTH - _RIGHT + 12, below + 4, name, "start", colour)


def _write(x: float, y: float, text: str, anchor: str, colour: str = "#374151") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
