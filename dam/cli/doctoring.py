"""`dam doctor`: whether bucket, broker, Bento, catalogue, clock and disk are well, seen from this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from dam import logs
from dam.cli.calling import call
from dam.doctor import DoctorSettings, Finding, Verdict, examine
from dam.settings import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

_BROKEN: Final = 1
_WARNED: Final = 2
_STYLES: Final = {
    Verdict.WELL: "green",
    Verdict.WARNING: "yellow",
    Verdict.BROKEN: "bold red",
    Verdict.SKIPPED: "dim",
}


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False
) -> None:
    """Check everything outside from here: what is wrong, and how to mend it.

    Ends with status 0 where all is well, 1 where something is broken, and 2 where there are only warnings.
    """
    logs.configure("CRITICAL", json=False)  # what goes wrong is shown below, once
    findings = _examine()
    verdicts = {finding.verdict for finding in findings}
    if as_json:
        body = {"well": verdicts <= {Verdict.WELL, Verdict.SKIPPED}, "findings": list(map(asdict, findings))}
        sys.stdout.write(json.dumps(body, indent=2) + "\n")
    else:
        _show(Console(), findings)
    if Verdict.BROKEN in verdicts:
        raise typer.Exit(_BROKEN)
    if Verdict.WARNING in verdicts:
        raise typer.Exit(_WARNED)


def _examine() -> list[Finding]:
    """Settings that cannot be read are a finding too, and leave nothing to look at."""
    try:
        settings = DoctorSettings()
    except ValidationError as error:
        return [Finding("settings", Verdict.BROKEN, explain(error), "Correct these variables.")]
    return call(examine(settings))


def _show(console: Console, findings: Sequence[Finding]) -> None:
    for finding in findings:
        style = _STYLES[finding.verdict]
        line = f"[{style}]{finding.verdict.value:8}[/{style}] {finding.check:20} {escape(finding.told)}"
        remedy = f" [bold]{escape(finding.remedy)}[/bold]" if finding.remedy else ""
        console.print(line + remedy, highlight=False, soft_wrap=True)
