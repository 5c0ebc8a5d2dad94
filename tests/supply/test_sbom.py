"""`make sbom`: every locked package is in the list."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import requirements

ROOT: Final = Path(__file__).parents[2]


def test_the_lists_have_every_part() -> None:
    """Python's from the lock, the gallery's from npm's; both in CycloneDX."""
    # Nothing is installed anew for it.
    made = subprocess.run(
        ["make", "-o", ".venv/.check", "sbom"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stderr) == (0, "")
    python, frontend = (
        json.loads((ROOT / "build" / f"sbom-{name}.cdx.json").read_text()) for name in ("python", "frontend")
    )
    assert {python["bomFormat"], frontend["bomFormat"]} == {"CycloneDX"}
    listed = {requirements.normalise(item["name"]) for item in python["components"]}
    assert listed == requirements.read_entries((ROOT / "requirements.lock").read_text()).keys()
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    names = {f"{item.get('group', '')}/{item['name']}".strip("/") for item in frontend["components"]}
    assert {"svelte", "@sveltejs/kit"} <= names
    assert len(frontend["components"]) > len(packages) / 2
