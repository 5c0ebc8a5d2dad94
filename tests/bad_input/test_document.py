"""The page that people read is made of the table that the tests run."""

from __future__ import annotations

from tests.bad_input.document import PATH, render


def test_the_page_is_current() -> None:
    """`python -m tests.bad_input.document` writes what the table says now."""
    assert PATH.read_text(encoding="utf-8") == render(), "Run `python -m tests.bad_input.document`."
