"""Puts the `dam` commands together; each lives in a module of its own, loaded only when it is called.

An ingest image has no pyarrow and an orchestrator image no rich tables of the demo: loading every command
for each call would break the one and slow the other.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import typer

COMMANDS: Final = {
    "demo": "dam.cli.demo:demo",
    "up": "dam.cli.up:up",
    "status": "dam.cli.status:status",
    "import": "dam.cli.importing:import_folder",
    "doctor": "dam.cli.doctoring:doctor",
    "export": "dam.cli.exporting:export",
    "adopt": "dam.cli.adopting:adopt",
    "verify": "dam.cli.verifying:verify",
    "purge": "dam.cli.purging:purge",
    "maintain": "dam.cli.maintaining:maintain",
    "reconcile": "dam.cli.maintaining:reconcile",
    "jobs": "dam.cli.jobs:jobs_app",
    "token": "dam.cli.tokens:token_app",
}
"""Command name, and where its function (or its sub-commands) is."""


def main() -> None:
    """Run the command that the arguments name; without one, or with `--help`, all are listed."""
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="A digital asset management pipeline whose only storage is a bucket.",
    )
    app.callback()(_accept_no_options)
    called = sys.argv[1] if len(sys.argv) > 1 else ""
    for name in [called] if called in COMMANDS else COMMANDS:
        _register(app, name)
    app()


def _accept_no_options() -> None:
    """Make `app` a group even where a single command is registered."""


def _register(app: typer.Typer, name: str) -> None:
    """Load one command's module and add it."""
    module, _, attribute = COMMANDS[name].partition(":")
    try:
        command = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "dam":
            raise
        sys.stderr.write(
            f"`dam {name}` is left out: {error.name} is not installed. Try: pip install 'dam[demo]'\n"
        )
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name)(command)


if __name__ == "__main__":
    main()
