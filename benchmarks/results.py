"""Results of benchmarks as files: `results.json`, the table `RESULTS.md` and its plot. Used by `all`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from benchmarks.results_plot import draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE: Final = "results.json"
TABLE: Final = "RESULTS.md"
PLOT: Final = "results.svg"
_HEAD: Final = """\
# Benchmarks with an aim

`make bench` wrote this page. A ratio is the median of paired runs: in each, both ways were measured in turns,
on the same machine and the same services. What the ratios were made of: [results.json](results.json).

![how far each ratio is from its aim](results.svg)

| benchmark | what is compared | aim | ratio | runs | met | date | machine |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
_MET: Final = {True: "yes", False: "**no**", None: "no aim"}


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """By name; none where there are none yet."""
    path = folder / FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def write(folder: Path, results: Mapping[str, dict[str, Any]], order: Sequence[str]) -> None:
    """All three files."""
    ordered = {name: results[name] for name in order if name in results}
    (folder / FILE).write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    (folder / TABLE).write_text(_HEAD + "".join(map(_row, ordered.values())), encoding="utf-8")
    (folder / PLOT).write_text(draw(list(ordered.values())), encoding="utf-8")


def describe(result: Mapping[str, Any]) -> str:
    """One line for people."""
    met = {True: "met", False: "missed", None: "no aim"}[result["met"]]
    return f"{result['name']}: {result['ratio']:g} ({_span(result)}), aim {result['aim']}: {met}"


def _row(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    cells = (
        f"{result['name']}{' (quick)' if result['quick'] else ''}",
        result["compared"],
        result["aim"],
        f"{result['ratio']:g}",
        _span(result),
        _MET[result["met"]],
        result["date"],
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_1min']:g}",
    )
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |\n"


def _span(result: Mapping[str, Any]) -> str:
    return f"{min(result['runs']):g} … {max(result['runs']):g}"
