"""The note of where services answer: there while they run, and nothing where it cannot be believed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dam.local.addresses import Addresses, noted, read_note

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = Addresses(bento="http://b", ingest="http://i", gallery="http://g", orchestrator="http://o")


def test_it_is_there_while_they_run(tmp_path: Path) -> None:
    """With those that were started, and no others."""
    with noted(tmp_path, ADDRESSES, ["ingest", "maintenance"]):
        assert read_note(tmp_path) == {"ingest": "http://i"}
    assert read_note(tmp_path) == {}


def test_whoever_left_it_was_killed(tmp_path: Path) -> None:
    """What it says is of the past."""
    with subprocess.Popen((sys.executable, "-c", "")) as ended:
        ended.wait()
    (tmp_path / "addresses.json").write_text(json.dumps({"pid": ended.pid, "ingest": "http://i"}))
    assert read_note(tmp_path) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x"}', '{"pid": null}', "\x00"])
def test_one_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    """Nothing depends on it."""
    (tmp_path / "addresses.json").write_text(text)
    assert read_note(tmp_path) == {}
