"""`dam purge`, as an operator sees it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dam.maintenance.settings import MaintenanceSettings
from tests.maintenance.processes import environment_of, run_dam

if TYPE_CHECKING:
    from tests.purge.bucket import Bucket


def run(bucket: Bucket, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_dam(MaintenanceSettings(data_dir=bucket.settings.data_dir), "purge", *arguments, COLUMNS="120")


def answer(bucket: Bucket, reply: bytes, *arguments: str) -> tuple[int, str]:
    """The same in a terminal in which somebody types."""
    ours, theirs = pty.openpty()
    settings = MaintenanceSettings(data_dir=bucket.settings.data_dir)
    with subprocess.Popen(
        [sys.executable, "-m", "dam.cli.main", "purge", *arguments],
        env=environment_of(settings, TERM="dumb", COLUMNS="120"),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        os.close(theirs)
        os.write(ours, reply)
        output, _ = process.communicate(timeout=60)
        os.close(ours)
    return process.returncode, output.decode()


async def test_it_shows_what_would_go_and_asks(bucket: Bucket) -> None:
    """Count, bytes and names; without a yes nothing happens."""
    row = await bucket.add_deleted("a purple [walrus]")
    status, shown = answer(bucket, b"n\n", "--older-than", "0d")
    assert status == 1
    for told in (row.id, "a purple [walrus].jpg", "1 asset, 17 bytes, deleted before", "Nothing was purged."):
        assert told in shown
    await bucket.assert_whole(row, 3)


async def test_after_a_yes_it_is_gone(bucket: Bucket) -> None:
    """And the next call has nothing to do."""
    row = await bucket.add_deleted("a purple walrus")
    status, shown = answer(bucket, b"y\n", "--older-than", "0d")
    assert status == 0, shown
    assert "1 asset purged, 15 bytes." in shown
    await bucket.assert_purged(row, "a purple walrus")
    again = run(bucket, "--older-than", "0d")
    assert (again.returncode, again.stderr) == (0, "")
    assert "No asset was deleted before" in again.stdout


async def test_a_script_has_to_say_yes(bucket: Bucket) -> None:
    """Where nobody can be asked, nothing is taken for granted."""
    row = await bucket.add_deleted("a purple walrus")
    asked = run(bucket, "--older-than", "0d")
    assert asked.returncode == 1
    assert "Say --yes." in asked.stderr
    await bucket.assert_whole(row, 3)
    assert run(bucket, "--older-than", "0d", "--yes").returncode == 0
    await bucket.assert_purged(row, "a purple walrus")


async def test_thirty_days_by_default(bucket: Bucket) -> None:
    """What was deleted today stays, and is counted."""
    row = await bucket.add_deleted("a purple walrus")
    done = run(bucket, "--yes")
    assert done.returncode == 0
    assert "1 deleted later stay." in done.stdout
    await bucket.assert_whole(row, 3)


@pytest.mark.parametrize("age", ["30", "d", "-1d", "tomorrow", "1y"])
async def test_an_age_that_is_none_is_told(bucket: Bucket, age: str) -> None:
    """Before anything is looked at."""
    done = run(bucket, f"--older-than={age}", "--yes")
    assert done.returncode == 2
    assert "is no age" in done.stderr
