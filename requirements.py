"""Prints the part of `requirements.lock` that extras of `pyproject.toml` need, for `pip --require-hashes`.

Called by the Makefile and by every image before anything is installed: it needs Python alone. What extras
need it learns from the lock, in which each package says what asked for it (`# via`). It never resolves
anything: a package that the lock lacks is an error, and pip refuses whatever is not among the lines printed.

    python requirements.py ingest > ingest.lock
    pip install --require-hashes --requirement ingest.lock
    pip install --no-deps --no-build-isolation --editable .
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_HERE: Final = Path(__file__).parent
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_PINNED: Final = re.compile(r"([A-Za-z0-9._-]+)==\S+")
_OWN_EXTRAS: Final = re.compile(r"\[([^\]]*)\]")


class LockError(Exception):
    """The lock does not fit the project."""


def read_entries(text: str) -> dict[str, str]:
    """Each package's lines in the lock, by its normalised name."""
    entries: dict[str, str] = {}
    name = ""
    for line in text.splitlines(keepends=True):
        if match := _PINNED.match(line):
            name = normalise(match[1])
            entries[name] = line
        elif name:
            entries[name] += line
    return entries


def find_roots(project: dict[str, Any], wanted: Sequence[str]) -> set[str]:
    """Names that the project itself asks for: to be built, always, and for these extras."""
    table = project["project"]
    extras: dict[str, list[str]] = table["optional-dependencies"]
    unknown = set(wanted) - extras.keys()
    if unknown:
        known = ", ".join(extras)
        raise LockError(f"pyproject.toml has no extra {', '.join(sorted(unknown))}; it has {known}.")
    roots: set[str] = set()
    waiting = [*project["build-system"]["requires"], *table["dependencies"]]
    waiting += [requirement for extra in wanted for requirement in extras[extra]]
    while waiting:
        requirement = waiting.pop()
        name = name_of(requirement)
        if name != table["name"]:
            roots.add(name)
        elif match := _OWN_EXTRAS.search(requirement):
            for own in match[1].split(","):
                waiting += extras[own.strip()]
    return roots


def select(entries: dict[str, str], roots: set[str], without: Collection[str] = ()) -> str:
    """Lines of the packages that `roots` need, in the lock's order. Raises `LockError`.

    Those in `without` are left out, and so is what only they need.
    """
    roots = roots - set(without)
    asked_by: dict[str, set[str]] = {}
    for name, lines in entries.items():
        for parent in _read_parents(lines):
            asked_by.setdefault(parent, set()).add(name)
    missing = roots - entries.keys()
    if missing:
        raise LockError(f"requirements.lock lacks {', '.join(sorted(missing))}: run `make lock`.")
    needed, waiting = set(roots), list(roots)
    while waiting:
        new = asked_by.get(waiting.pop(), set()) - needed - set(without)
        needed |= new
        waiting += new
    return "".join(lines for name, lines in entries.items() if name in needed)


def name_of(requirement: str) -> str:
    """The normalised name in a requirement like `dam[http]` or `Torch>=2`."""
    match = _NAME.match(requirement)
    if match is None:
        raise LockError(f"{requirement!r} in pyproject.toml names no package.")
    return normalise(match[0])


def normalise(name: str) -> str:
    """As package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read_parents(lines: str) -> set[str]:
    """Who asked for a package, from the comments below it."""
    comments = (line.strip() for line in lines.splitlines() if line.strip().startswith("#"))
    names = (comment.lstrip("# ").removeprefix("via").strip() for comment in comments)
    return {normalise(name) for name in names if name and "(" not in name}


def main() -> int:
    """Exit status: 0, or 2 where an extra or a package is unknown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("extras", nargs="+", metavar="EXTRA")
    parser.add_argument("--without", action="append", default=[], metavar="PACKAGE")
    chosen = parser.parse_args()
    project = tomllib.loads((_HERE / "pyproject.toml").read_text())
    entries = read_entries((_HERE / "requirements.lock").read_text())
    try:
        roots = find_roots(project, chosen.extras)
        sys.stdout.write(select(entries, roots, [normalise(name) for name in chosen.without]))
    except LockError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
