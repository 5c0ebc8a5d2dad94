"""The plot of `RESULTS.md`: how far each ratio is from its aim, as SVG. Pure.

A ratio of 1 stands for the aim itself, and to the right is better, whichever way the aim goes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_AIM: Final = re.compile(r"(>=|<=) *(\d+(?:\.\d+)?)\b")
_WIDTH, _LEFT, _RIGHT, _TOP, _LINE, _BOTTOM = 780, 150, 110, 20, 30, 50
_MET, _MISSED = "#059669", "#b45309"
_TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class _Bar:
    """One benchmark: its median and its runs, as shares of the aim."""

    name: str
    label: str
    median: float
    runs: tuple[float, float]

    @property
    def colour(self) -> str:
        return _MET if self.median >= 1 else _MISSED


@dataclass(frozen=True, slots=True)
class _Axis:
    """From shares to pixels, logarithmic; always with the aim on it."""

    low: float
    high: float

    def x(self, share: float) -> float:
        low, high = math.log10(self.low), math.log10(self.high)
        return _LEFT + (math.log10(share) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)


def draw(results: Sequence[Mapping[str, Any]]) -> str:
    """The whole file; results without a bound in their aim are left out."""
    bars = [bar for result in results if (bar := _bar(result))]
    shares = [1.0, *(share for bar in bars for share in bar.runs)]
    axis = _Axis(min(shares) / 1.3, max(shares) * 1.3)
    height = _TOP + _LINE * len(bars) + _BOTTOM
    box, font = f'viewBox="0 0 {_WIDTH} {height}"', 'font-family="sans-serif" font-size="13"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {font} role="img">',
        "<title>How far the ratio of each benchmark is from its aim</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        *_draw_grid(axis, height),
        *(part for number, bar in enumerate(bars) for part in _draw_bar(axis, bar, number)),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(result: Mapping[str, Any]) -> _Bar | None:
    bound = _AIM.match(result["aim"])
    if bound is None:
        return None
    limit, is_floor = float(bound[2]), bound[1] == ">="

    def share(ratio: float) -> float:
        return max(ratio / limit if is_floor else limit / ratio, 1e-3)

    runs = sorted(share(run) for run in result["runs"])
    label = f"{result['ratio']:g} ({bound[0]})"
    return _Bar(result["name"], label, share(result["ratio"]), (runs[0], runs[-1]))


def _draw_grid(axis: _Axis, height: int) -> Iterator[str]:
    bottom = height - _BOTTOM
    for tick in _TICKS:
        if not axis.low <= tick <= axis.high:
            continue
        x, colour = axis.x(tick), "#6b7280" if tick == 1 else "#e5e7eb"
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{bottom}" stroke="{colour}"/>'
        yield _write(x, bottom + 18, "the aim" if tick == 1 else f"{tick:g}", "middle")
    yield _write(
        (_LEFT + _WIDTH - _RIGHT) / 2, height - 10, "share of the aim; further right is better", "middle"
    )


def _draw_bar(axis: _Axis, bar: _Bar, number: int) -> Iterator[str]:
    y = _TOP + _LINE * number + _LINE / 2
    yield _write(_LEFT - 12, y + 4, bar.name, "end")
    low, high = (axis.x(share) for share in bar.runs)
    yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{bar.colour}" stroke-width="3"/>'
    yield f'<circle cx="{axis.x(bar.median):.1f}" cy="{y}" r="5" fill="{bar.colour}"/>'
    yield _write(_WIDTH - _RIGHT + 12, y + 4, bar.label, "start", bar.colour)


def _write(x: float, y: float, text: str, anchor: str, colour: str = "#374151") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
