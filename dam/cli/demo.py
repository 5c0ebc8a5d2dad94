"""`dam demo`: the whole pipeline on this machine, with sample pictures, until Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path  # noqa: TC003 - Typer reads it from the annotations
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from dam.catalogue import Catalogue
from dam.cli.demo_output import print_outcome, print_urls
from dam.cli.importing import find_files
from dam.errors import DamError
from dam.local.demo import PictureRun
from dam.local.lock import only_one
from dam.local.pictures import TRUTH_FILE, choose_samples, read_truth
from dam.local.services import read_notice, running_services
from dam.settings import DamSettings
from dam.store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dam.local.addresses import Addresses
    from dam.local.demo import Outcome
    from dam.local.processes import Child

_CHECK_S = 1.0


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Exit when all pictures are done.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Where store and queue live.", show_default="dam-data")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="A folder of pictures.", exists=True, file_okay=False, show_default="our samples"),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Only so many pictures; beyond our samples more are drawn.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the figures there, as JSON.")] = None,
) -> None:
    """Start everything on this machine, upload pictures and show what became of them."""
    settings = DamSettings(data_dir=data) if data else DamSettings()
    console = Console()
    try:
        with only_one(settings.data_dir):
            asyncio.run(_run(settings, console, _find_work(images, settings, count, report), once=once))
    except DamError as error:
        Console(stderr=True).print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@dataclass(frozen=True, slots=True)
class _Work:
    """What one call was asked to do: which files, their true captions, where the figures go."""

    paths: Sequence[Path]
    truth: Mapping[str, str] | None
    report: Path | None

    def write_report(self, outcome: Outcome) -> None:
        if self.report:
            self.report.write_text(json.dumps(outcome.report(), indent=2) + "\n", encoding="utf-8")


def _find_work(images: Path | None, settings: DamSettings, count: int | None, report: Path | None) -> _Work:
    """Our own samples, or every file of a folder: odd ones are to be told about."""
    if images is None:
        return _Work(*choose_samples(count, settings.data_dir / "drawn"), report)
    paths = [path for path in find_files(images)[0] if path.name != TRUTH_FILE]
    return _Work(paths[:count], read_truth(images), report)


async def _run(settings: DamSettings, console: Console, work: _Work, *, once: bool) -> None:
    """Services up, pictures through, figures out; then serve until a signal, or stop at once."""
    async with AsyncExitStack() as stack:
        with console.status("Starting Bento, ingest, orchestrator, gallery and maintenance …"):
            addresses, children = await stack.enter_async_context(running_services(settings))
            store = await open_store(settings)
            stack.push_async_callback(store.close)
            catalogue = await Catalogue.open(settings)
            stack.push_async_callback(catalogue.close)
        with _ProgressBars(console, len(work.paths)) as progress:
            run = PictureRun(store, catalogue, addresses.ingest, children, progress, settings.token)
            outcome = await run.process(work.paths, work.truth)
        print_outcome(console, outcome, settings, await read_notice(addresses))
        work.write_report(outcome)
        if not once:
            await _serve(console, addresses, children)


async def _serve(console: Console, addresses: Addresses, children: Sequence[Child]) -> None:
    """Keep serving until Ctrl-C or SIGTERM; a service that dies is an error."""
    print_urls(console, asdict(addresses))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        for child in children:
            child.check()
        try:
            await asyncio.wait_for(stop.wait(), _CHECK_S)
        except TimeoutError:
            continue
    console.print("Stopping …")


class _ProgressBars:
    """Two bars: files uploaded, assets done."""

    def __init__(self, console: Console, total: int) -> None:
        self._bars = Bars(
            TextColumn("{task.description:<9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._uploaded = self._bars.add_task("uploaded", total=total)
        self._done = self._bars.add_task("enriched", total=total)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def uploaded(self) -> None:
        """One more file was answered."""
        self._bars.advance(self._uploaded)

    def expect(self, total: int) -> None:
        """Only `total` assets were taken: the rest was refused, or is the same picture twice."""
        self._bars.update(self._done, total=total)

    def finished(self, count: int) -> None:
        """`count` assets have ended so far."""
        self._bars.update(self._done, completed=count)
