"""`dam jobs`: work that failed, work queued again by hand, and how much is waiting."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dam import logs
from dam.catalogue import Catalogue
from dam.cli.calling import call, read_settings
from dam.maintenance import failures
from dam.queue.opening import open_queue
from dam.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue import Row
    from dam.maintenance.settings import MaintenanceSettings

jobs_app = typer.Typer(no_args_is_help=True, help="Failed and waiting work.")


@jobs_app.command("failed")
def show_failed(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for programs.")] = False
) -> None:
    """Show the assets that failed, and why."""
    logs.configure("WARNING", json=False)
    rows = call(_read_failed(read_settings()))
    if as_json:
        sys.stdout.write(json.dumps([_described(row) for row in rows], indent=2) + "\n")
    elif rows:
        Console().print(_table_of(rows))
    else:
        Console().print("No asset has failed.")


@jobs_app.command("retry")
def retry_failed(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Assets to queue again.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every asset that failed.")] = False,
) -> None:
    """Queue failed assets again."""
    if bool(ids) == every:
        raise typer.BadParameter("Name the assets to retry, or say --all.")
    logs.configure("WARNING", json=False)
    call(_retry(read_settings(), ids))


@jobs_app.command("depth")
def show_depth(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False
) -> None:
    """Show how many jobs are waiting, and how many dead letters name no asset (parked)."""
    logs.configure("WARNING", json=False)
    depth = call(_read_depth(read_settings()))
    if as_json:
        sys.stdout.write(json.dumps(depth) + "\n")
        return
    table = Table("jobs", "messages")
    for name, count in depth.items():
        table.add_row(name.replace("_", " "), str(count))
    Console().print(table)


async def _read_failed(settings: MaintenanceSettings) -> list[Row]:
    catalogue = await Catalogue.open(settings)
    try:
        return [row async for row in catalogue.failed()]
    finally:
        await catalogue.close()


async def _retry(settings: MaintenanceSettings, ids: Sequence[str] | None) -> None:
    """Queue these, or every failed asset where none are named, and say so one by one."""
    async with AsyncExitStack() as stack:
        catalogue = await Catalogue.open(settings)
        stack.push_async_callback(catalogue.close)
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        queue = await open_queue(settings)
        stack.push_async_callback(queue.close)
        rows = (
            await failures.find_failed(catalogue, ids) if ids else [row async for row in catalogue.failed()]
        )
        problems = 0
        for row in rows:
            try:
                await failures.retry(row, store, queue)
            except failures.NotRetriableError as error:
                problems += 1
                sys.stderr.write(f"{error}\n")
            else:
                sys.stdout.write(f"queued {row.id} {row.filename or ''}".rstrip() + "\n")
        sys.stdout.write(f"{len(rows) - problems} of {len(rows)} failed assets queued.\n")
        if problems:
            raise typer.Exit(1)


async def _read_depth(settings: MaintenanceSettings) -> dict[str, int]:
    queue = await open_queue(settings)
    try:
        return asdict(await queue.depth())
    finally:
        await queue.close()


def _described(row: Row) -> dict[str, Any]:
    """One failure as JSON has it."""
    return {
        "id": row.id,
        "filename": row.filename,
        "error_code": row.error_code,
        "error_message": row.error_message,
        "attempts": row.attempts,
        "recorded_at": row.recorded_at.isoformat(),
    }


def _table_of(rows: Sequence[Row]) -> Table:
    """A few lines for each in two columns: an id alone takes half of a terminal's width."""
    table = Table(title=f"{len(rows)} failed", title_justify="left", show_lines=True)
    table.add_column("asset", overflow="fold", min_width=36)
    table.add_column("reason", overflow="fold")
    for row in rows:
        tries = f"after {row.attempts} tries" if (row.attempts or 1) > 1 else "at the first try"
        table.add_row(
            f"{row.id}\n{escape(row.filename or '')}",
            escape(f"{row.error_code}\n{row.error_message}\n{row.recorded_at:%Y-%m-%d %H:%M}, {tries}"),
        )
    return table
