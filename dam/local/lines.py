"""One line of a log as a person reads it: time, level, event and fields; any other line as it is.

Pure. What a field says may come from outside (a file's name): nothing in it may move a cursor.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from dam.veil import COLOUR

_LEVELS: Final = {
    "debug": "dim",
    "info": "green",
    "warning": "yellow",
    "error": "red",
    "critical": "bold red",
}
_LEVEL_WIDTH: Final = 7
_BLOCKS: Final = ("exception", "stack")
"""Fields of several lines, shown below the others."""


def to_text(line: str) -> Text:
    """As shown; several lines where there is a traceback. Local time, to the second."""
    try:
        record = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or not isinstance(record.get("event"), str):
        return Text.from_ansi(line)
    return _render(record)


def _render(record: dict[str, Any]) -> Text:
    fields = dict(record)
    event, level = fields.pop("event"), str(fields.pop("level", ""))
    text = Text()
    if "timestamp" in fields:
        text.append(f"{_tell_time(fields.pop('timestamp'))} ", style="dim")
    text.append(f"{_plain(level):{_LEVEL_WIDTH}} ", style=_LEVELS.get(level, ""))
    text.append(_plain(event), style="bold")
    blocks = [str(fields.pop(name)) for name in _BLOCKS if name in fields]
    for name, value in fields.items():
        text.append(f" {_plain(name)}=", style="dim")
        text.append(_tell_value(value))
    for block in blocks:
        for part in block.splitlines():
            text.append(f"\n  {_plain(part)}", style="dim")
    return text


def _tell_time(value: object) -> str:
    try:
        return f"{datetime.fromisoformat(str(value)).astimezone():%H:%M:%S}"
    except (ValueError, OverflowError):
        return _plain(str(value))


def _tell_value(value: object) -> str:
    """As short as it can be told from its neighbours."""
    if isinstance(value, str):
        value = " ".join(COLOUR.sub("", value).split())
        is_word = value.isprintable() and value and not any(sign in value for sign in " =\"'")
        return value if is_word else repr(value)
    return _plain(json.dumps(value, ensure_ascii=False))


def _plain(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]
