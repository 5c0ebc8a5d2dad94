"""`dam import DIR`: uploads a folder through the upload API, as anyone with curl could. Safe to repeat."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dam import routes
from dam.cli.calling import read_settings
from dam.cli.progress import counting_bar
from dam.uploads import DEFAULT_PARALLEL, Outcome, UploadResult, upload_files

DEFAULT_URL: Final = f"http://127.0.0.1:{routes.INGEST_PORT}"

_LINES: Final[tuple[tuple[Outcome, str, str], ...]] = (
    ("uploaded", "uploaded", "green"),
    ("duplicate", "already there", "cyan"),
    ("refused", "refused", "yellow"),
    ("failed", "failed", "red"),
)


def import_folder(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", exists=True, file_okay=False, help="Folder, with its subfolders."),
    ],
    url: Annotated[str, typer.Option(help="Where the upload API is.", envvar="DAM_INGEST_URL")] = DEFAULT_URL,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Files at once.")] = DEFAULT_PARALLEL,
) -> None:
    """Upload every file of a folder; repeat it as often as you like.

    Where the upload API wants a token, set DAM_TOKEN to its text.

    Names that begin with a dot are left out. A file that is there already is not stored again. Ends with
    status 1 if any file is not in the bucket afterwards.
    """
    console = Console()
    paths, unreadable = find_files(directory)
    results = asyncio.run(_upload(url, paths, parallel, console)) + unreadable
    _show(console, directory, results)
    if not all(result.is_there for result in results):
        raise typer.Exit(1)


def find_files(directory: Path) -> tuple[list[Path], list[UploadResult]]:
    """Regular files below a folder in the order of their paths, and what could not be looked into.

    Links to files are followed, links to folders are not; pipes, sockets and devices are left out.
    """
    paths: list[Path] = []
    unreadable: list[UploadResult] = []

    def note(error: OSError) -> None:
        reason = f"It cannot be looked into: {error.strerror}."
        unreadable.append(UploadResult(Path(error.filename), "failed", reason=reason))

    for folder, subfolders, names in os.walk(directory, onerror=note):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found = (Path(folder, name) for name in names if not name.startswith("."))
        paths += [path for path in found if path.is_file()]
    return sorted(paths), unreadable


async def _upload(url: str, paths: list[Path], parallel: int, console: Console) -> list[UploadResult]:
    """Upload with a progress bar (nothing is drawn where the output is no terminal)."""
    progress = counting_bar(console)
    with progress:
        task = progress.add_task("Uploading", total=len(paths))
        token = read_settings().token
        return await upload_files(url, paths, parallel, lambda _: progress.advance(task), token=token)


def _show(console: Console, directory: Path, results: list[UploadResult]) -> None:
    """Counts by outcome, then a line for each file of which there is something to say."""
    counts = Counter(result.outcome for result in results)
    summary = Table("outcome", "files", title=f"{len(results)} files of {escape(str(directory))}")
    for outcome, label, colour in _LINES:
        summary.add_row(label, str(counts[outcome]), style=colour if counts[outcome] else "dim")
    console.print(summary)
    told = [result for result in results if result.reason]
    if told:
        details = Table("outcome", title="To look at")
        details.add_column("file", overflow="fold")
        details.add_column("why", overflow="fold")
        for result in told:
            shown = os.fsencode(os.path.relpath(result.path, directory)).decode(errors="replace")
            details.add_row(result.outcome, escape(shown), escape(result.reason))
        console.print(details)
