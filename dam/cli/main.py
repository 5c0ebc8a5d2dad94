"""Puts the `dam` commands together. Each command lives in its own module and is loaded when it is called."""

from __future__ import annotations

import typer

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A digital asset management pipeline whose only storage is a bucket.",
)
