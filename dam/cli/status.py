"""`dam status`: every service, the queue, the catalogue, the index and maintenance, as they are now."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from pathlib import Path  # noqa: TC003 - Typer reads it from the annotations
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.live import Live

from dam import logs
from dam.cli.calling import call
from dam.settings import explain
from dam.status import StatusSettings, Watch, open_parts
from dam.status.parts import SERVICES
from dam.status.showing import make_report, make_table

_AGAIN_S: Final = 1.0
_UNWELL: Final = 1


def status(
    *,
    once: Annotated[bool, typer.Option("--once", help="Print one table and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="The folder that `dam up` was given.", show_default="dam-data")
    ] = None,
) -> None:
    """Show what everything does now, every second until Ctrl-C; into a file or a pipe, once.

    With `--once` or `--json` the exit status is 0 where all is well, and 1 where something is not.
    """
    settings = _read_settings(data)
    logs.configure("CRITICAL", json=False)  # what goes wrong is shown in its row
    logging.disable()  # the same for what libraries say
    console = Console()
    if not once and not as_json and console.is_terminal:
        call(_show_live(settings, console))
        return
    watch = call(_look(settings))
    is_well = watch.is_well()
    if as_json:
        report = make_report(watch.readings(), is_well=is_well)
        sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    else:
        console.print(make_table(watch.readings()))
    if not is_well:
        raise typer.Exit(_UNWELL)


def _read_settings(data: Path | None) -> StatusSettings:
    try:
        return StatusSettings(data_dir=data) if data else StatusSettings()
    except ValidationError as error:
        sys.stderr.write(f"The settings are wrong. {explain(error)}\n")
        raise typer.Exit(2) from error


async def _look(settings: StatusSettings) -> Watch:
    async with open_parts(settings) as parts:
        watch = Watch(parts, settings.status_timeout_s, settings.secrets(), SERVICES)
        await watch.look()
    return watch


async def _show_live(settings: StatusSettings, console: Console) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_parts(settings) as parts:
        watch = Watch(parts, settings.status_timeout_s, settings.secrets())
        with Live(make_table(watch.readings()), console=console, auto_refresh=False) as live:
            async with watch.looking():
                while not stop.is_set():
                    live.update(make_table(watch.readings()), refresh=True)
                    try:
                        await asyncio.wait_for(stop.wait(), _AGAIN_S)
                    except TimeoutError:
                        continue
