"""Temporary folders: gone with their process, even where that was killed."""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from dam.maintenance.scratch import scratch_folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def make_old(folder: Path) -> None:
    """As if nothing had happened there for two hours."""
    then = time.time() - 7200
    os.utime(folder, (then, then))


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """An old folder that nobody holds goes when the next one is made; other folders stay."""
    left, others = tmp_path / "dam-maintenance-killed", tmp_path / "others"
    for folder in (left, others):
        folder.mkdir()
        (folder / "lock").touch()
        (folder / "snapshot-1.parquet").touch()
        make_old(folder)
    with scratch_folder() as folder:
        assert sorted(tmp_path.iterdir()) == sorted([folder, others])
    assert list(tmp_path.iterdir()) == [others]


def test_a_folder_in_use_is_left_alone() -> None:
    """However old it is, its owner's lock keeps it."""
    with scratch_folder() as first:
        make_old(first)
        with scratch_folder() as second:
            assert first.exists()
            assert second != first


def test_a_young_folder_is_left_alone(tmp_path: Path) -> None:
    """Its owner may be about to lock it."""
    young = tmp_path / "dam-maintenance-young"
    young.mkdir()
    (young / "lock").touch()
    with scratch_folder():
        assert young.exists()
