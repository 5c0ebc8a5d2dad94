"""Sentences that may quote others' errors, made fit to be shown: one line, bounded, without secrets. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 600
"""Characters of one sentence: a broken server may answer with a page."""


def veil(text: str, secrets: Iterable[str]) -> str:
    """The same without any of the secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "…")
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
