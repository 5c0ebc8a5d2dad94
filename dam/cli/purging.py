"""`dam purge`: removes what was deleted longer ago than a chosen time, after it has asked."""

from __future__ import annotations

import re
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from dam import memory

memory.hold_back()
memory.hold_back_tables()

from dam import logs  # noqa: E402 - the allocators are set up before the table's library is loaded
from dam.catalogue import Catalogue  # noqa: E402 - as above
from dam.cli.calling import call, count_assets, read_settings  # noqa: E402 - as above
from dam.cli.progress import counting_bar  # noqa: E402 - as above
from dam.originals import UNKNOWN_ACTOR  # noqa: E402 - as above
from dam.purge.candidates import Findings, find_candidates  # noqa: E402 - as above
from dam.purge.purger import Purger, Report  # noqa: E402 - as above
from dam.purge.sweep import READERS_S, is_swept, sweep  # noqa: E402 - as above
from dam.store.opening import open_store  # noqa: E402 - as above

if TYPE_CHECKING:
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE: Final = re.compile(r"(\d{1,6})\s*([smhdw])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Bucket:
    store: ObjectStore
    catalogue: Catalogue


def purge(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="Deleted longer ago than this: 30d, 12h, 90m, 2w; 0d is all.")
    ] = "30d",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove the bytes of deleted assets, and their history, for good.

    Shows what would go, and asks. Originals, thumbnails, vectors and every earlier row are removed from the
    bucket; the same content may be uploaded again. Safe to stop and to repeat.
    """
    before = datetime.now(UTC) - _read_age(older_than)
    settings = read_settings()
    logs.configure("WARNING", json=False)
    call(_purge(settings, before, Console(), sure=yes))


def _read_age(text: str) -> timedelta:
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} is no age: give a number and a unit, as in 30d, 12h or 2w.")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2].lower()])


async def _purge(settings: DamSettings, before: datetime, console: Console, *, sure: bool) -> None:
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        catalogue = await Catalogue.open(settings)
        stack.push_async_callback(catalogue.close)
        bucket = _Bucket(store, catalogue)
        found = await find_candidates(catalogue, before)
        _show(console, found, before, store.url)
        if found.due and not sure:
            _ask(len(found.due))
        if found.due or found.unfinished:
            _tell(console, await _run(bucket, found, before, console))
        if not await is_swept(store):
            await _sweep(bucket, console)


async def _run(bucket: _Bucket, found: Findings, before: datetime, console: Console) -> Report:
    progress = counting_bar(console)
    with progress:
        task = progress.add_task("Purging", total=len(found.due) + len(found.unfinished))
        purger = Purger(bucket.store, bucket.catalogue, UNKNOWN_ACTOR)
        return await purger.run(found, before, lambda count: progress.advance(task, count))


async def _sweep(bucket: _Bucket, console: Console) -> None:
    what = f"Removing the files that still hold their history (the search index has {READERS_S:.0f} s) …"
    with console.status(what):
        await sweep(bucket.store, bucket.catalogue)
    console.print(
        "Nothing of it is left in the catalogue; `dam maintain` builds the search index anew without it.",
        highlight=False,
        soft_wrap=True,
    )


def _show(console: Console, found: Findings, before: datetime, url: str) -> None:
    moment = f"{before:%Y-%m-%d %H:%M} UTC"
    younger = f" {found.younger} deleted later stay." if found.younger else ""
    if found.unfinished:
        console.print(
            f"{count_assets(len(found.unfinished))} of an earlier purge are finished.", highlight=False
        )
    if not found.due:
        console.print(f"No asset was deleted before {moment}.{younger}", highlight=False)
        return
    table = Table("deleted", "asset", "size")
    table.columns[2].justify = "right"
    for row in found.first:
        shown = f"{row.id}\n{escape(row.filename or '')}".rstrip()
        table.add_row(f"{row.recorded_at:%Y-%m-%d}", shown, decimal(row.size_bytes or 0))
    if len(found.due) > len(found.first):
        table.caption = f"… and {len(found.due) - len(found.first)} more"
    console.print(table)
    console.print(
        f"{count_assets(len(found.due))}, {decimal(found.size_bytes)}, deleted before {moment}.{younger}\n"
        f"Their originals, thumbnails, vectors and history go from {escape(url)} for good.",
        highlight=False,
        soft_wrap=True,
    )


def _ask(count: int) -> None:
    """Go on only after a clear yes; a script has to say `--yes`."""
    if not sys.stdin.isatty():
        sys.stderr.write("Nothing was purged: nobody is there to be asked. Say --yes.\n")
        raise typer.Exit(1)
    if not typer.confirm(f"Purge {count_assets(count)}?"):
        sys.stdout.write("Nothing was purged.\n")
        raise typer.Exit(1)


def _tell(console: Console, report: Report) -> None:
    console.print(
        f"{count_assets(len(report.purged))} purged, {decimal(report.size_bytes)}.", highlight=False
    )
    if report.kept:
        console.print(
            f"{count_assets(len(report.kept))} kept: restored or changed meanwhile.", highlight=False
        )
