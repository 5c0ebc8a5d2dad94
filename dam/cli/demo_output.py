"""What `dam demo` prints: captions, where things lie, what to try next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rich.markup import escape
from rich.table import Table

from dam import keys, routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from dam.local.demo import Outcome
    from dam.settings import DamSettings

_MOST_ROWS = 60


def print_outcome(console: Console, outcome: Outcome, settings: DamSettings, notice: str) -> None:
    """Captions, then failures and refusals with their reasons, then the figures and the files.

    `notice` is what the models' set says of itself, and is shown where the captions are.
    """
    _print_captions(console, outcome)
    if notice:
        console.print(notice, style="yellow", markup=False, highlight=False)
    _print_problems(console, outcome)
    figures = outcome.report()
    console.print(
        f"{figures['uploaded']} pictures taken ({figures['already_there']} were there already), "
        f"{figures['enriched']} enriched, {figures['failed']} failed, {figures['refused']} refused, "
        f"in {outcome.seconds:.1f} s.",
        highlight=False,
    )
    if figures["caption_exact_match"] is not None:
        console.print(
            f"Captions that are the true ones, word for word: {figures['caption_exact_match']:.0%}."
        )
    _print_places(console, settings)


def _print_captions(console: Console, outcome: Outcome) -> None:
    table = Table("picture", "caption", title_justify="left")
    for row in outcome.ready[:_MOST_ROWS]:
        table.add_row(escape(str(row.filename)), escape(str(row.caption)))
    if len(outcome.ready) > _MOST_ROWS:
        table.caption = f"… and {len(outcome.ready) - _MOST_ROWS} more"
    if outcome.ready:
        console.print(table)


def _print_problems(console: Console, outcome: Outcome) -> None:
    if not outcome.refused and not outcome.failed:
        return
    table = Table("file", "outcome", "reason")
    for result in outcome.refused:
        table.add_row(escape(result.path.name), result.outcome, escape(result.reason))
    for row in outcome.failed:
        table.add_row(escape(str(row.filename)), "failed", escape(f"{row.error_code}: {row.error_message}"))
    console.print(table)


def _print_places(console: Console, settings: DamSettings) -> None:
    """Paths of the open files and a query that works on them as it stands."""
    parts = urlsplit(settings.store_url)
    base = unquote(parts.path) if parts.scheme == "file" else settings.store_url
    console.print(f"\nRows      {base}/{keys.SNAPSHOT}", soft_wrap=True, highlight=False)
    console.print(
        f"Table     {base}/{keys.TABLE}/  (Delta Lake: every revision)", soft_wrap=True, highlight=False
    )
    console.print(f"Vectors   {base}/{keys.VECTORS}", soft_wrap=True, highlight=False)
    if parts.scheme == "file":
        query = f"SELECT filename, caption FROM '{base}/{keys.SNAPSHOT}' ORDER BY 1 LIMIT 5"  # noqa: S608 - printed, not run
        console.print(
            f'Query     {_python()} -c "import duckdb; duckdb.sql(\\"{query}\\").show()"',
            soft_wrap=True,
            highlight=False,
            markup=False,
        )


def _python() -> str:
    """This interpreter, as short as it can be typed in the folder where the demo was started."""
    path = Path(sys.executable)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def print_urls(console: Console, urls: Mapping[str, str]) -> None:
    """Where the services answer, by their names."""
    gallery, ingest, bento = (urls.get(name) for name in ("gallery", "ingest", "bento"))
    lines = {
        "Gallery  ": gallery,
        "Upload   ": ingest and f"curl -F files=@picture.jpg {ingest}{routes.UPLOAD}",
        "Caption  ": bento and f"curl -F image=@picture.jpg {bento}{routes.CAPTION}",
        "Embed    ": bento and f"curl -F image=@picture.jpg {bento}{routes.EMBED}",
        "API pages": "  ".join(f"{url}/docs" for url in (ingest, bento) if url),
    }
    console.print()
    for name, told in lines.items():
        if told:
            console.print(f"{name} {told}", highlight=False, soft_wrap=True)
    console.print("\nServing. Ctrl-C stops everything; what was uploaded is kept.")
