"""The logs of several services side by side: each line begins with its service's name, in its own colour.

On a terminal long lines are folded below themselves; into a file or a pipe they go as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from dam.local.lines import to_text
from dam.local.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.console import Console

_COLOURS: Final = ("cyan", "yellow", "magenta", "green", "blue")
_LEAST_WIDTH: Final = 30
"""A narrower column is not folded: it could no longer be read."""


class Screen:
    """Where the lines go."""

    def __init__(self, console: Console, names: Collection[str]) -> None:
        self._console = console
        self._width = max(map(len, names))
        known = dict.fromkeys([*SERVICES, *names])  # a service's colour is the same whatever else runs
        colours = {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(known)}
        self._prefixes = {
            name: Text(f"{name:{self._width}} | ", style=colours[name], end="") for name in names
        }

    def show(self, name: str, line: str) -> None:
        """A line of a service's log."""
        self._print(name, to_text(line))

    def say(self, name: str, sentence: str, style: str = "bold") -> None:
        """Something that is not in the log: what became of a service."""
        self._print(name, Text(sentence, style=style))

    def _print(self, name: str, text: Text) -> None:
        room = self._console.width - self._width - 3
        for line in text.split("\n", allow_blank=True) or [Text()]:
            folded = self._console.is_terminal and room >= _LEAST_WIDTH
            for piece in line.wrap(self._console, room) if folded else [line]:
                whole = Text.assemble(self._prefixes[name], piece)
                self._console.print(whole, soft_wrap=True, highlight=False)
