"""`dam export DIR`: originals with XMP and JSON sidecars, out of the bucket into a folder. Safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003 - Typer reads it from the annotations
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dam import memory

memory.hold_back()
memory.hold_back_tables()

from dam import logs  # noqa: E402 - the allocators are set up before the table's library is loaded
from dam.catalogue.row import AssetType  # noqa: E402, TC001 - as above; Typer reads it
from dam.cli.calling import call, count_assets, read_settings  # noqa: E402 - as above
from dam.cli.progress import counting_bar  # noqa: E402 - as above
from dam.export.assets import Outcome  # noqa: E402 - as above
from dam.export.exporter import Exporter, Report  # noqa: E402 - as above
from dam.export.selection import Orientation, Selection  # noqa: E402 - as above
from dam.export.target import Target  # noqa: E402 - as above
from dam.store.opening import open_store  # noqa: E402 - as above

if TYPE_CHECKING:
    from dam.maintenance.settings import MaintenanceSettings


class Status(StrEnum):
    """Those that have bytes; Typer takes no list of literals."""

    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


_COLOURS: Final = {
    Outcome.NEW: "green",
    Outcome.UPDATED: "green",
    Outcome.UNCHANGED: "cyan",
    Outcome.FAILED: "red",
}
_LINES: Final = 20
_DAY: Final = ["%Y-%m-%d"]


@dataclass(frozen=True, slots=True)
class _Work:
    target: Target
    selection: Selection
    parallel: int
    verify: bool


def export(  # noqa: PLR0913 - one for each filter
    directory: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="Made if need be.")],
    *,
    tag: Annotated[list[str] | None, typer.Option(help="Repeatable: an asset must have all.")] = None,
    asset_type: Annotated[AssetType | None, typer.Option("--type", help="Kind of asset.")] = None,
    mime: Annotated[str | None, typer.Option(help="As in image/png.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=_DAY, help="First day of arrival (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DAY, help="Last day of arrival (UTC).")] = None,
    rating: Annotated[int | None, typer.Option(min=0, max=5, help="At least this.")] = None,
    orientation: Annotated[Orientation | None, typer.Option()] = None,
    model: Annotated[str | None, typer.Option(help="The maker of the embedding.")] = None,
    min_bytes: Annotated[int | None, typer.Option(min=0)] = None,
    max_bytes: Annotated[int | None, typer.Option(min=0)] = None,
    status: Annotated[list[Status] | None, typer.Option(help="Repeatable.", show_default="ready")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read again what is there already.")] = False,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Originals at once.")] = 4,
) -> None:
    """Write originals, each with an .xmp and a .json, into a folder.

    Safe to stop and to repeat: what is there and unchanged is skipped, what has been edited is brought up to
    date. Files that other programs have changed are left. Ends with status 1 if any asset is not complete.
    """
    settings = read_settings()
    logs.configure("WARNING", json=False)
    selection = Selection(
        statuses=tuple(item.value for item in status or [Status.READY]),
        asset_type=asset_type,
        mime=mime,
        tags=tuple(tag or ()),
        model=model,
        orientation=orientation,
        since=_day(since),
        until=_day(until),
        min_bytes=min_bytes,
        max_bytes=max_bytes,
        rating=rating,
    )
    console = Console()
    report = call(_export(settings, _Work(Target(directory), selection, parallel, verify), console))
    _show(console, report, directory, selection)
    if report.counts[Outcome.FAILED]:
        raise typer.Exit(1)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


async def _export(settings: MaintenanceSettings, work: _Work, console: Console) -> Report:
    store = await open_store(settings)
    progress = counting_bar(console)
    try:
        with progress:
            task = progress.add_task("Exporting", total=None)
            exporter = Exporter(store, settings, work.target, work.selection, work.parallel)
            return await exporter.run(
                lambda total: progress.update(task, total=total),
                lambda: progress.advance(task),
                verify=work.verify,
            )
    finally:
        await store.close()


def _show(console: Console, report: Report, directory: Path, selection: Selection) -> None:
    """Counts by outcome, then a line for each asset of which there is something to say."""
    summary = Table("outcome", "assets", title=escape(str(directory)), title_justify="left")
    for outcome, count in report.counts.items():
        summary.add_row(outcome.value, f"{count:,}", style=_COLOURS[outcome] if count else "dim")
    console.print(summary)
    for problem in report.problems[:_LINES]:
        console.print(f"  {escape(problem.path)}: {escape(problem.reason)}", highlight=False, soft_wrap=True)
    if len(report.problems) > _LINES:
        console.print(f"  … and {len(report.problems) - _LINES} more")
    if report.others and selection.is_everything():
        console.print(
            f"Exported once and deleted by now: {count_assets(report.others)}; the files were left.",
            highlight=False,
        )
