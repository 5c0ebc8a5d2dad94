"""`dam adopt`: takes over a bucket of the original project; without `--yes` it only says what it would do."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from dam import memory

memory.hold_back()
memory.hold_back_tables()

from dam import keys, logs  # noqa: E402 - the allocators are set up before the table's library is loaded
from dam.adopt.adopter import Writers, adopt_bucket  # noqa: E402 - as above
from dam.adopt.options import DIM, AdoptOptions  # noqa: E402 - as above
from dam.adopt.report import NOT_TAKEN, Report  # noqa: E402 - as above
from dam.catalogue import Catalogue  # noqa: E402 - as above
from dam.cli.calling import call, count_assets, read_settings  # noqa: E402 - as above
from dam.cli.progress import counting_bar  # noqa: E402 - as above
from dam.errors import SettingsError  # noqa: E402 - as above
from dam.queue.opening import open_queue  # noqa: E402 - as above
from dam.store.opening import open_store  # noqa: E402 - as above

if TYPE_CHECKING:
    from dam.maintenance.settings import MaintenanceSettings

_LINES: Final = 50
_NOT_TAKEN: Final = 1
_WRONG: Final = 2


def adopt(  # noqa: PLR0913 - one for each option
    prefix: Annotated[str, typer.Option(help="Where the originals are.")] = keys.ASSETS,
    *,
    vectors_by: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL@REVISION", help="Keep the vectors: this model, which the Bento runs, made them."
        ),
    ] = None,
    dim: Annotated[int, typer.Option(min=1, help="How many numbers a vector has.")] = DIM,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; else it is only shown.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Without --yes: read no originals.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Originals read at once.")] = 4,
) -> None:
    """Take over a bucket of the original project, and change nothing that is in it.

    Shows what would happen; with --yes it happens. Safe to stop and to repeat. Ends with status 1 where
    something could not be taken over, and 2 where a setting is wrong.
    """
    settings = read_settings()
    logs.configure("WARNING", json=False)
    try:
        options = AdoptOptions(prefix.rstrip("/") + "/", vectors_by, dim, quick, parallel)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(_WRONG) from error
    try:
        report = call(_adopt(settings, options, Console(stderr=as_json), sure=yes))
    except typer.Exit as error:
        raise typer.Exit(_WRONG if isinstance(error.__cause__, SettingsError) else error.exit_code) from error
    if as_json:
        sys.stdout.write(json.dumps(_described(report, done=yes), indent=2) + "\n")
    else:
        _show(Console(), report, options, done=yes)
    if not report.is_whole:
        raise typer.Exit(_NOT_TAKEN)


async def _adopt(
    settings: MaintenanceSettings, options: AdoptOptions, console: Console, *, sure: bool
) -> Report:
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        writers = await _open_writers(settings, stack) if sure else None
        progress = stack.enter_context(counting_bar(console))
        task = progress.add_task("Adopting" if sure else "Looking", total=None)
        return await adopt_bucket(
            settings, store, options, writers, lambda count: progress.advance(task, count)
        )


async def _open_writers(settings: MaintenanceSettings, stack: AsyncExitStack) -> Writers:
    queue = await open_queue(settings)
    stack.push_async_callback(queue.close)
    catalogue = await Catalogue.open(settings)
    stack.push_async_callback(catalogue.close)
    return Writers(queue, catalogue)


def _described(report: Report, *, done: bool) -> dict[str, Any]:
    """The report as JSON has it."""
    values = {"done": done, "whole": report.is_whole, "has_work": report.has_work, **asdict(report)}
    return {**values, "counts": dict(report.counts)}  # `asdict` makes pairs of a Counter's


def _show(console: Console, report: Report, options: AdoptOptions, *, done: bool) -> None:
    for line in _summary(report, options, done=done):
        console.print(line, highlight=False, soft_wrap=True)
    if report.counts:
        table = Table("odd", "key and what it is", show_lines=True)
        for oddity in report.oddities[:_LINES]:
            style = "red" if oddity.kind in NOT_TAKEN else ""
            told = f"{escape(oddity.key)}\n[dim]{escape(oddity.problem)}[/dim]"
            table.add_row(oddity.kind.value, told, style=style)
        if (more := report.counts.total() - min(len(report.oddities), _LINES)) > 0:
            table.caption = f"… and {more:,} more: --json shows the first 10,000"
        console.print(table)
        for kind, count in sorted(report.counts.items()):
            console.print(f"  {kind.value}: {count:,}", highlight=False)
    if report.has_work and not done:
        console.print("Nothing was changed. Say --yes to do it.", highlight=False)


def _summary(report: Report, options: AdoptOptions, *, done: bool) -> list[str]:
    ours = f" ({report.ours:,} more are this pipeline's own)" if report.ours else ""
    seen = (
        f"{report.originals:,} originals below {escape(options.prefix)}{ours} and {report.rows:,} rows of "
        f"the original's table, {decimal(report.read_bytes)} read; {report.known:,} are in the catalogue."
    )
    if report.is_misplaced:
        where = (
            f"Not one of these rows has an original below {escape(options.prefix)}: is it the right --prefix?"
        )
        return [seen, where]
    if not report.has_work:
        return [seen, "Nothing to do."]
    will = "" if done else "would be "
    taken = (
        f"{count_assets(report.taken)} {will}taken over: {report.with_caption:,} with their caption, "
        f"{report.with_vector:,} with their vector, {report.queued:,} queued for what they lack, "
        f"{report.failed:,} as failed."
    )
    lines = [seen, taken]
    if report.recaptioned:
        lines.append(f"{count_assets(report.recaptioned)} {will}given back their caption.")
    if options.vectors_by is None and report.taken:
        lines.append(
            "Vectors are made anew, since nobody says which model made those that are there (--vectors-by)."
        )
    if report.is_table_waiting:
        where = escape(report.kept_at or keys.ADOPTED_TABLES)
        lines.append(f"{keys.SNAPSHOT} {will}copied to {where}; then the snapshot replaces it.")
    return lines
