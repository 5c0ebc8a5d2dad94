"""Sentences that may quote others' errors, made fit to be shown: one line, bounded, without secrets. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 600
"""Characters of one sentence: a broken server may answer with a page."""
COLOUR: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
"""Some libraries write their errors for a terminal."""


def veil(text: str, secrets: Iterable[str]) -> str:
    """The same without any of the secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    line = " ".join(COLOUR.sub("", text).split())
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
