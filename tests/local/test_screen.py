"""What a person sees of the logs: names in colours, our own lines in human form, all others as they are."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from dam.local.lines import to_text
from dam.local.screen import Screen

AT = "2026-05-04T10:20:30.5Z"
LOCAL = f"{datetime(2026, 5, 4, 10, 20, 30, tzinfo=UTC).astimezone():%H:%M:%S}"


def line(**fields: object) -> str:
    return json.dumps({"timestamp": AT, "level": "info", "event": "upload.taken", **fields})


def show(name: str, text: str, **console: int | bool) -> list[str]:
    """The lines that a screen for `ingest` and `orchestrator` prints."""
    output = io.StringIO()
    options = {"width": 80, "force_terminal": True, "no_color": True, "color_system": None, **console}
    Screen(Console(file=output, **options), ["ingest", "orchestrator"]).show(name, text)  # type: ignore[arg-type]  # one of its options
    return output.getvalue().splitlines()


def test_our_own_line() -> None:
    """Time, level, event and fields; a text of several words is quoted."""
    told = to_text(line(asset="a1", size=3, reason="not yet", ok=True)).plain
    assert told == f"{LOCAL} info    upload.taken asset=a1 size=3 reason='not yet' ok=true"


@pytest.mark.parametrize(
    "text",
    [
        "INFO:     Started server process [7]",
        '{"event": "cut off',
        '{"event": 3}',
        '{"no": "event"}',
        "[1, 2]",
        "{" * 5000,
        "[red]no markup[/red]",
        "",
    ],
)
def test_any_other_line_is_shown_as_it_is(text: str) -> None:
    """Whatever is not a line of ours."""
    assert to_text(text).plain == text


def test_nothing_in_a_field_moves_the_cursor() -> None:
    """A file's name may hold anything; a time may be none."""
    told = to_text(line(filename="a\x1b[2J\x9b2Jb", timestamp="\x1b[2J", **{"\x1b[2J": 1})).plain
    assert told.isprintable()


def test_a_field_of_several_lines_is_told_in_one() -> None:
    """Some libraries write their errors for a terminal; the file has them as they were."""
    told = to_text(line(reason="no\n   \x1b[31m↳\x1b[0m because")).plain
    assert told.endswith("reason='no ↳ because'")


def test_a_traceback_stands_below_its_line() -> None:
    """Line by line."""
    told = to_text(line(exception="Traceback:\n  File\nValueError: no")).plain.split("\n")
    assert told[1:] == ["  Traceback:", "    File", "  ValueError: no"]


def test_every_line_begins_with_its_service() -> None:
    """Also those of a traceback, all in one column."""
    shown = show("ingest", line(exception="Traceback\nValueError: no"))
    assert [text[:15] for text in shown] == ["ingest       | "] * 3


def test_a_long_line_is_folded_below_itself() -> None:
    """On a terminal nothing is lost, and nothing stands in the column of names."""
    shown = show("orchestrator", "word " * 60)
    assert {text[:15] for text in shown} == {"orchestrator | "}
    assert max(map(len, shown)) <= 80
    assert sum(text.count("word") for text in shown) == 60


def test_into_a_file_a_line_stays_one() -> None:
    """So that it can be searched."""
    assert len(show("ingest", "word " * 60, force_terminal=False)) == 1


def test_each_name_has_its_colour() -> None:
    """The same one whatever else runs."""
    output = io.StringIO()
    console = Console(file=output, width=80, force_terminal=True, color_system="standard")
    for names in (["ingest", "gallery"], ["gallery"]):
        Screen(console, names).show("gallery", "x")
    Screen(console, ["ingest"]).show("ingest", "x")
    first, second, third = (text.partition("m")[0] for text in output.getvalue().splitlines())
    assert first == second != third
