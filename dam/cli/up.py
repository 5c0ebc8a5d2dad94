"""`dam up`: every service on this machine, their logs side by side, until Ctrl-C."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 - Typer reads it from the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console

from dam.cli.calling import call
from dam.cli.demo_output import print_urls
from dam.local.addresses import noted
from dam.local.lock import only_one
from dam.local.services import SERVICES, list_commands
from dam.local.session import Session
from dam.local.settings import LocalSettings
from dam.settings import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_PAUSE_S: Final = 1.0


def up(
    *,
    only: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Start these alone, as in: ingest,orchestrator")
    ] = None,
    without: Annotated[
        str | None, typer.Option("--except", metavar="NAMES", help="Start all but these, as in: bento")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Where logs and the embedded store and queue live.", show_default="dam-data"),
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Start a service that dies again, after a growing pause.")
    ] = False,
) -> None:
    """Start Bento, ingest, orchestrator, gallery and maintenance here, and show their logs until Ctrl-C.

    Bucket and queue are those of the environment. A service that dies ends all, with status 1.
    """
    names = _choose(only, without)
    settings = _read_settings(data)
    pause_s = _FIRST_PAUSE_S if keep_going else None
    raise typer.Exit(call(_run_alone(settings, names, pause_s)))


def _choose(only: str | None, without: str | None) -> list[str]:
    """The services that are meant, in their order."""
    wanted = _split("--only", only) if only is not None else set(SERVICES)
    unwanted = _split("--except", without) if without is not None else set()
    names: list[str] = [name for name in SERVICES if name in wanted - unwanted]
    if not names:
        raise typer.BadParameter("No service is left to start.", param_hint="--only, --except")
    return names


def _split(option: str, names: str) -> set[str]:
    found = {name.strip() for name in names.split(",") if name.strip()}
    if unknown := sorted(found - set(SERVICES)):
        raise typer.BadParameter(
            f"There is no service {', '.join(unknown)}; there are {', '.join(SERVICES)}.", param_hint=option
        )
    return found


def _read_settings(data: Path | None) -> LocalSettings:
    try:
        return LocalSettings(data_dir=data) if data else LocalSettings()
    except ValidationError as error:
        sys.stderr.write(f"The settings are wrong. {explain(error)}\n")
        raise typer.Exit(2) from error


async def _run_alone(settings: LocalSettings, names: Sequence[str], pause_s: float | None) -> int:
    """Under the folder's lock; the exit status."""
    with ExitStack() as stack:
        stack.enter_context(only_one(settings.data_dir))
        addresses = settings.choose_addresses(names)
        logs = settings.data_dir / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        stack.enter_context(noted(settings.data_dir, addresses, names))
        commands = [
            command
            for command in list_commands(settings, addresses, settings.hosts())
            if command.name in names
        ]
        urls = {name: url for name, url in asdict(addresses).items() if name in names}
        console = Console()
        session = Session(console, commands, logs, on_ready=lambda: print_urls(console, urls))
        return await session.run(pause_s)
