"""`python -m tests.bad_input.document` writes docs/bad-input.md: the tables, for people."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bad_input.names import NAMES
from tests.bad_input.requests_table import REQUESTS
from tests.bad_input.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bad_input.outcomes import Case
    from tests.bad_input.requests_table import Request

PATH: Final = Path(__file__).parents[2] / "docs" / "bad-input.md"
_LONGEST: Final = 60
_INTRODUCTION: Final = """# Bad input

What the services do with files that nobody should send. Every line is a test on the real services, at every
door: the upload, the asset that came of it, the models (`/caption` and `/embed` alike), and the search by
picture. Requests that are none follow. This page is made of the tests' own tables by
`python -m tests.bad_input.document`.
"""
_OF_REQUESTS: Final = """## Broken requests

Bytes to the services' sockets, as no client library would send them: to the upload, the search by picture,
the models, and the orchestrator's health. "closed": the service closes the connection; else it takes another
request. After each, all services answer within a second, and have kept within their memory.
"""


def render() -> str:
    """The whole page."""
    sections = [_INTRODUCTION, *("\n".join(_section(title, cases)) for title, cases in TABLE.items())]
    broken = ["\n".join(_requests(title, cases)) for title, cases in REQUESTS.items()]
    return "\n".join([*sections, "\n".join(_names()), _OF_REQUESTS, *broken])


def _section(title: str, cases: Sequence[Case]) -> Iterator[str]:
    yield f"## {title}"
    yield "| what is sent | upload | asset | models | search |"
    yield "| --- | --- | --- | --- | --- |"
    for case in cases:
        end = case.outcome
        yield f"| {case.name} | {end.upload} | {end.asset or 'none'} | {end.models} | {end.search} |"
    yield ""


def _requests(title: str, cases: Sequence[Request]) -> Iterator[str]:
    yield f"### {title}"
    yield "| what is sent | upload | search | models | health |"
    yield "| --- | --- | --- | --- | --- |"
    for case in cases:
        ends = (told or "not sent" for told in astuple(case.ends))
        yield f"| {case.name} | {' | '.join(ends)} |"
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
