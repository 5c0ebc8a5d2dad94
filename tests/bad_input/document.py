"""`python -m tests.bad_input.document` writes docs/bad-input.md: the tables, for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bad_input.names import NAMES
from tests.bad_input.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bad_input.outcomes import Case

PATH: Final = Path(__file__).parents[2] / "docs" / "bad-input.md"
_LONGEST: Final = 60
_INTRODUCTION: Final = """# Bad input

What the services do with files that nobody should send. Every line is a test on the real services, at every
door: the upload, the asset that came of it, the models (`/caption` and `/embed` alike), and the search by
picture. This page is made of the tests' own table by `python -m tests.bad_input.document`.
"""


def render() -> str:
    """The whole page."""
    sections = [_INTRODUCTION, *("\n".join(_section(title, cases)) for title, cases in TABLE.items())]
    return "\n".join([*sections, "\n".join(_names())])


def _section(title: str, cases: Sequence[Case]) -> Iterator[str]:
    yield f"## {title}"
    yield "| what is sent | upload | asset | models | search |"
    yield "| --- | --- | --- | --- | --- |"
    for case in cases:
        end = case.outcome
        yield f"| {case.name} | {end.upload} | {end.asset or 'none'} | {end.models} | {end.search} |"
    yield ""


def _names() -> Iterator[str]:
    yield "## Names"
    yield "A name is kept for people, and never used as a path or to tell a type."
    yield ""
    yield "| name | kept as |"
    yield "| --- | --- |"
    for what, (_, kept) in NAMES.items():
        shown = kept if len(kept) <= _LONGEST else f"{kept[:20]}… ({len(kept.encode())} bytes)"
        yield f"| {what} | `{shown.replace('`', chr(39))}` |"
    yield ""


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
