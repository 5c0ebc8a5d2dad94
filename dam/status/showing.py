"""A round of readings as a table for people, and as one object for programs. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape
from rich.table import Table

from dam.status.parts import SERVICES
from dam.status.readings import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.status.readings import Reading

_LONGEST: Final = 240
_STYLES: Final = {
    State.READY: "green",
    State.NOT_READY: "yellow",
    State.DOWN: "bold red",
    State.UNKNOWN: "dim",
}


def make_table(readings: Mapping[str, Reading]) -> Table:
    """One row for each part."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("part", no_wrap=True)
    table.add_column("state", no_wrap=True, min_width=len(State.NOT_READY))
    table.add_column("latency", no_wrap=True, justify="right")
    table.add_column("", overflow="fold")
    for name, reading in readings.items():
        latency = reading.facts.get("latency_ms")
        table.add_row(
            name,
            f"[{_STYLES[reading.state]}]{reading.state.value}[/]",
            "" if latency is None else f"{latency:,.0f} ms",
            escape(_shorten(reading.told)),
        )
    return table


def _shorten(told: str) -> str:
    """A library's error may be long; `--json` has all of it."""
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def make_report(readings: Mapping[str, Reading], *, is_well: bool) -> dict[str, Any]:
    """The services below `services`, every other part by its name; each has `state` and `told`."""
    told = {
        name: {"state": reading.state.value, "told": reading.told, **reading.facts}
        for name, reading in readings.items()
    }
    return {
        "well": is_well,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "services": {name: told.pop(name) for name in SERVICES if name in told},
        **told,
    }
