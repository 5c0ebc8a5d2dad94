"""Runs the frontend's own tools, as `npm run` would, and shows what they said where they fail."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parents[2] / "frontend"
SPECS = FOLDER / "tests" / "browser"
_BUILT = FOLDER / "build" / "index.html"
_DEADLINE_S = 600.0
"""Far beyond what is needed: it is for what hangs, not for a slow machine."""


def run(tool: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run one of the installed tools in `frontend/`; it must succeed. What it printed."""
    binaries = Path(sys.executable).parent
    node = shutil.which("node", path=os.pathsep.join((str(binaries), os.environ["PATH"])))
    script = FOLDER / "node_modules" / ".bin" / tool
    assert node, "There is no Node.js: `make frontend` installs it."
    assert script.exists(), f"{tool} is not installed: `make frontend` does that."
    done = subprocess.run(
        [node, str(script), *arguments],
        cwd=FOLDER,
        env={**os.environ, "FORCE_COLOR": "0", **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=_DEADLINE_S,
        check=False,
    )
    # What was measured stands there: `pytest --log-level=INFO -rP` shows it.
    log.info("%s", done.stdout)
    assert done.returncode == 0, f"{tool} {' '.join(arguments)}\n{done.stdout}"
    return done.stdout


def run_browser(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run Playwright on the pages as they are now: a build of older sources would prove nothing."""
    sources = [path for path in (FOLDER / "src").rglob("*") if path.is_file()]
    newest = max(path.stat().st_mtime for path in sources)
    assert _BUILT.exists(), "The pages are not built: `make frontend` does that."
    assert _BUILT.stat().st_mtime >= newest, "The pages were built from older sources: run `make frontend`."
    return run("playwright", "test", *arguments, environment=environment)
