"""Asks the advisory services for known holes in what is locked, for Python and for the gallery.

`make audit` calls this. It never takes silence for a good answer: where a service gives none, or does not
know a package, that is said, and the exit status is 2. It changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HERE: Final = Path(__file__).parent
_BIN: Final = Path(sys.executable).parent
_PAUSES: Final = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=1000"]
"""npm's own are a minute."""
_FOUND: Final = 1
_NOT_ASKED: Final = 2


class NotAskedError(Exception):
    """A service gave no answer."""


@dataclass(slots=True)
class Holes:
    """Of how many packages of one kind it was asked, and what was found, a line each."""

    what: str
    packages: int
    lines: list[str] = field(default_factory=list)


def audit_python(lock: Path, advisories: str | None) -> Holes:
    """Of every package in a lock with hashes; `advisories` is an OSV service in PyPI's place.

    Raises:
        NotAskedError: it did not answer, or not for every package.
    """
    service = ["--vulnerability-service", "osv", "--osv-url", advisories] if advisories else []
    locked: list[str | Path] = ["--requirement", lock, "--require-hashes", "--disable-pip", "--strict"]
    quiet = ["--progress-spinner", "off", "--format", "json"]
    done = _run([_BIN / "pip-audit", *locked, *quiet, *service], _HERE)
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        raise NotAskedError(_last_line(done.stderr)) from error
    if not dependencies:
        raise NotAskedError(f"{lock} names no package")
    lines = [
        f"{item['name']} {item['version']}: {hole['id']}, "
        f"mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for item in dependencies
        for hole in item.get("vulns", ())
    ]
    return Holes("Python", len(dependencies), lines)


def audit_gallery(registry: str | None) -> Holes:
    """Of every package in the gallery's `package-lock.json`; `registry` in the place of npm's own.

    Raises:
        NotAskedError: it did not answer.
    """
    named = ["--registry", registry] if registry else []
    done = _run(
        ["npm", "audit", "--package-lock-only", "--json", "--fetch-retries=1", *_PAUSES, *named],
        _HERE / "frontend",
    )
    try:
        said: dict[str, Any] = json.loads(done.stdout)
        holes: dict[str, dict[str, Any]] = said["vulnerabilities"]
        packages: int = said["metadata"]["dependencies"]["total"]
    except (ValueError, KeyError) as error:
        raise NotAskedError(_last_line(done.stderr)) from error
    lines = [f"{name} {hole['range']}: {hole['severity']}" for name, hole in holes.items()]
    return Holes("npm", packages, lines)


def _run(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    # The environment's Node.js is found first, as in the Makefile.
    path = f"{_BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.run(  # noqa: S603 - the environment's own tools
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def _last_line(text: str) -> str:
    """The last line that says something; npm ends with where its log lies."""
    lines = [line for line in text.splitlines() if line.strip() and "complete log" not in line]
    return lines[-1].strip() if lines else "it said nothing"


def main() -> int:
    """Exit status: 0 without a known hole, 1 with one, 2 where somebody could not be asked."""
    parser = argparse.ArgumentParser(description="Known holes in the dependencies.")
    parser.add_argument("--advisories", metavar="URL", help="an OSV service, instead of PyPI's advisories")
    parser.add_argument("--registry", metavar="URL", help="an npm registry, instead of the configured one")
    parser.add_argument("--lock", type=Path, default=_HERE / "requirements.lock", metavar="FILE")
    chosen = parser.parse_args()
    status = 0
    audits: dict[str, Callable[[], Holes]] = {
        "Python": lambda: audit_python(chosen.lock, chosen.advisories),
        "npm": lambda: audit_gallery(chosen.registry),
    }
    for what, audit in audits.items():
        try:
            holes = audit()
        except NotAskedError as error:
            sys.stderr.write(f"{what}: NOT AUDITED, the advisory service gave no answer: {error}\n")
            status = _NOT_ASKED
            continue
        sys.stdout.write(f"{what}: {len(holes.lines)} known holes in {holes.packages} packages.\n")
        sys.stdout.writelines(f"  {line}\n" for line in holes.lines)
        if holes.lines:
            status = max(status, _FOUND)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
