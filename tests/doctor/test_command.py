"""`dam doctor` as a person and as a script see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bentos.serving import Served


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, on an empty folder."""
    environment = {**os.environ, "DAM_DATA_DIR": str(folder), **variables}
    line = (sys.executable, "-m", "dam.cli.main", "doctor", *arguments)
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_all_is_well(tmp_path: Path, bento: Served) -> None:
    """Status 0, one line for each finding."""
    done = run(tmp_path, DAM_BENTO_URL=bento.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"well"}


def test_something_is_broken(tmp_path: Path) -> None:
    """Status 1; as JSON the same findings, with what to do."""
    done = run(tmp_path, "--json", DAM_BENTO_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["well"] is False
    [broken] = [finding for finding in told["findings"] if finding["verdict"] == "broken"]
    assert broken["check"] == "bento"
    assert broken["remedy"]


def test_only_a_warning(tmp_path: Path, bento: Served) -> None:
    """Status 2 where a disk is low, and nothing is broken."""
    disk = os.statvfs(tmp_path)
    wanted = str(int(disk.f_bavail * disk.f_frsize * 1.5))
    done = run(tmp_path, DAM_BENTO_URL=bento.url, DAM_DOCTOR_MIN_FREE_BYTES=wanted)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "warning  disk" in done.stdout


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    """A setting that cannot be read is a finding, told by its variable and without its value."""
    done = run(tmp_path, DAM_BENTO_URL="ftp://user:hunter2@host")
    assert done.returncode == 1
    assert "DAM_BENTO_URL" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
