"""The built pages in a real Chromium, on a gallery in memory; each of Playwright's files is a test here."""

from __future__ import annotations

import pytest

from tests.browser.frontend import SPECS, run_browser

MEASURED = "large.spec.ts"
FILES = sorted(path.name for path in SPECS.glob("*.spec.ts"))


@pytest.mark.parametrize("name", [name for name in FILES if name != MEASURED])
def test_the_pages(name: str) -> None:
    """What the file says, each of its tests with a page and a gallery of its own."""
    run_browser("--project=browser", name)


def test_a_hundred_thousand_pictures() -> None:
    """Few nodes and no long task while scrolling to the end; little JavaScript to load first."""
    run_browser("--project=measured")
