"""The walk of a newcomer: the whole stack as `dam demo` starts it, and a real Chromium."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.browser.frontend import run_browser
from tests.end_to_end.running import ROOT, started

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = ROOT / "samples"
PICTURE = "drawn-040.jpg"
"""A sample that the demo of this test does not upload itself."""


def test_upload_search_edit_revert_delete_restore(tmp_path: Path) -> None:
    """Real processes, embedded store and queue, the demo models; a picture's whole life by mouse and keys."""
    caption = json.loads((SAMPLES / "captions.json").read_text())[PICTURE]
    with started(tmp_path / "data", "--count", "12") as demo:
        demo.wait_for("Ctrl-C stops everything")
        address = re.search(r"^Gallery +(http://\S+)", demo.output(), re.MULTILINE)
        assert address
        run_browser(
            "--project=walk",
            environment={
                "GALLERY_URL": address[1],
                "PICTURE": str(SAMPLES / PICTURE),
                "CAPTION": caption,
            },
        )
        assert demo.stop() == 0
