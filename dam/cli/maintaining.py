"""`dam maintain` and `dam reconcile`: what keeps a bucket in order, by itself and when a person asks."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from dam import memory

memory.hold_back()
memory.hold_back_tables()

from dam import logs  # noqa: E402 - the allocators are set up before the table's library is loaded
from dam.cli.calling import call, read_settings  # noqa: E402 - as above
from dam.maintenance.reconciliation import Reconciler  # noqa: E402 - as above
from dam.queue.opening import open_queue  # noqa: E402 - as above
from dam.store.opening import open_store  # noqa: E402 - as above

if TYPE_CHECKING:
    from dam.maintenance.report import Report, Tally
    from dam.maintenance.settings import MaintenanceSettings

_LINES: Final = 20
"""Of each kind, how many are printed one by one."""


def maintain() -> None:
    """Keep the bucket in order until SIGTERM or Ctrl-C: snapshot, compaction, vacuum, reconcile.

    Any number of these may run for one bucket: one works, the others wait to take over.
    """
    from dam.maintenance import running  # noqa: PLC0415 - `dam reconcile` needs no search index

    settings = read_settings()
    logs.configure(settings.log_level, json=settings.log_json)

    async def run() -> None:
        stop = asyncio.Event()
        running.stop_on_signals(stop)
        await running.maintain(settings, stop)

    call(run())


def reconcile(
    min_age: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Leave younger originals alone.", show_default="600"),
    ] = None,
) -> None:
    """Queue every original that has no row: what was lost with a queue, or given up half way."""
    settings = read_settings()
    logs.configure("WARNING", json=False)
    age_s = settings.reconcile_min_age_s if min_age is None else min_age
    _show_report(Console(), call(_reconcile(settings, age_s)), age_s)


async def _reconcile(settings: MaintenanceSettings, min_age_s: float) -> Report:
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        queue = await open_queue(settings)
        stack.push_async_callback(queue.close)
        return await Reconciler(store, queue, settings).run(min_age_s)


def _show_report(console: Console, report: Report, min_age_s: float) -> None:
    console.print(
        f"{report.originals} originals: {report.with_row} have a row, {report.young} are younger than "
        f"{min_age_s:g} s, {report.queued.count} queued, {report.duplicates.count} are duplicates.",
        highlight=False,
    )
    _show_tally(console, "queued", report.queued)
    _show_tally(console, "duplicate, left where it is", report.duplicates)
    _show_tally(console, "gone", report.gone)
    _show_tally(console, "not an original", report.foreign)


def _show_tally(console: Console, label: str, tally: Tally) -> None:
    for name, note in tally.first[:_LINES]:
        console.print(f"  {label}: {escape(name)} ({escape(note)})", highlight=False, soft_wrap=True)
    if tally.count > _LINES:
        console.print(f"  {label}: … and {tally.count - _LINES} more")
