"""The frontend's own unit tests, and the types that it shares with the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.browser.frontend import FOLDER, run

if TYPE_CHECKING:
    from pathlib import Path


def test_every_unit_test_passes() -> None:
    """Layout, timeline, uploads, conflicts, filters, reasons and figures, by Vitest."""
    assert "passed" in run("vitest", "run")


def test_the_types_are_those_of_the_api(tmp_path: Path) -> None:
    """`npm run types` on the API's description gives the committed file, and nothing else does."""
    committed = "src/lib/api/schema.d.ts"
    tool, *arguments = json.loads((FOLDER / "package.json").read_text())["scripts"]["types"].split()
    assert committed in arguments
    made = tmp_path / "schema.d.ts"
    run(tool, *(str(made) if argument == committed else argument for argument in arguments))
    assert made.read_text() == (FOLDER / committed).read_text(), "Run `npm run types` in frontend/."
