"""`dam verify`: whether everything in the bucket is there and right, and what can be mended."""

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

from dam import logs  # noqa: E402 - the allocators are set up before the table's library is loaded
from dam.cli.calling import call, count_assets, read_settings  # noqa: E402 - as above
from dam.cli.progress import counting_bar  # noqa: E402 - as above
from dam.errors import QueueUnavailableError  # noqa: E402 - as above
from dam.queue.opening import open_queue  # noqa: E402 - as above
from dam.store.opening import open_store  # noqa: E402 - as above
from dam.verify import Report, VerifyOptions, verify_bucket  # noqa: E402 - as above
from dam.verify.findings import Mending  # noqa: E402 - as above

if TYPE_CHECKING:
    from dam.maintenance.settings import MaintenanceSettings
    from dam.queue.port import JobQueue

_LINES: Final = 50
_NOT_CHECKED: Final = 2
_FOUND: Final = 1
_SETTLED: Final = {Mending.MENDED, Mending.QUEUED}


def verify(  # noqa: PLR0913 - one for each option
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Read no originals: compare sizes only.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    min_age: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="What is younger may be on its way.")
    ] = 600.0,
    settle: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Until what looks wrong is looked at again.")
    ] = 10.0,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Objects read at once.")] = 8,
) -> None:
    """Check the whole bucket: originals, rows, vectors, thumbnails, claims, table, snapshot, index.

    Ends with status 0 where nothing is wrong, 1 where something is, and 2 where it could not be checked.
    """
    settings = read_settings()
    logs.configure("WARNING", json=False)
    options = VerifyOptions(quick, repair, min_age, settle, parallel)
    try:
        report = call(_verify(settings, options, Console(stderr=as_json)))
    except typer.Exit as error:
        raise typer.Exit(_NOT_CHECKED if error.exit_code == 1 else error.exit_code) from error
    if as_json:
        sys.stdout.write(json.dumps(_described(report), indent=2) + "\n")
    else:
        _show(Console(), report, repair=repair)
    if any(count for mending, count in report.mendings.items() if mending not in _SETTLED):
        raise typer.Exit(_FOUND)
    if report.skipped:
        raise typer.Exit(_NOT_CHECKED)


async def _verify(settings: MaintenanceSettings, options: VerifyOptions, console: Console) -> Report:
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        queue = await _open_queue(settings, options)
        if queue is not None:
            stack.push_async_callback(queue.close)
        progress = stack.enter_context(counting_bar(console))
        task = progress.add_task("Verifying", total=None)
        return await verify_bucket(
            settings, store, queue, options, lambda count: progress.advance(task, count)
        )


async def _open_queue(settings: MaintenanceSettings, options: VerifyOptions) -> JobQueue | None:
    """Needed for repairs; without them it only tells waiting work from lost work."""
    try:
        return await open_queue(settings)
    except QueueUnavailableError as error:
        if options.repair:
            raise
        sys.stderr.write(f"{error} Originals that wait for their job are shown as if it was lost.\n")
        return None


def _described(report: Report) -> dict[str, Any]:
    """The report as JSON has it."""
    # Of a Counter, `asdict` makes one whose keys are pairs, which JSON cannot have.
    counters = {"counts": dict(report.counts), "mendings": dict(report.mendings)}
    return {"clean": report.is_clean, **asdict(report), **counters}


def _show(console: Console, report: Report, *, repair: bool) -> None:
    console.print(_summary(report), highlight=False, soft_wrap=True)
    for reason in report.skipped:
        console.print(f"Not checked: {escape(reason)}", highlight=False, soft_wrap=True, style="yellow")
    if not report.counts:
        return
    table = Table("finding", "key and what is wrong", *(["mended"] if repair else []), show_lines=True)
    for finding in report.findings[:_LINES]:
        told = f"{escape(finding.key)}\n{escape(finding.problem)}\n[dim]{escape(finding.remedy)}[/dim]"
        table.add_row(finding.kind.value, told, *([finding.mending.value] if repair else []))
    if (more := report.counts.total() - min(len(report.findings), _LINES)) > 0:
        table.caption = f"… and {more:,} more: --json shows the first 10,000"
    console.print(table)
    for kind, count in sorted(report.counts.items()):
        console.print(f"  {kind.value}: {count:,}", highlight=False)


def _summary(report: Report) -> str:
    found = f"{report.counts.total():,} findings" if report.counts else "nothing is wrong"
    version = "" if report.table_version is None else f", version {report.table_version} of the catalogue"
    return (
        f"{count_assets(report.assets)} and {report.originals:,} originals ({decimal(report.hashed_bytes)} "
        f"read){version}; {report.pending:,} wait for their row; {found}."
    )
