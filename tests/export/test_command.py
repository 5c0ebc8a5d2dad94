"""`dam export`, as somebody sees it who leaves."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

from dam.export.target import Target
from tests.maintenance.processes import run_dam

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.export.exporting import Exports


def run(exports: Exports, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    folder = str(exports.folder)
    return run_dam(exports.settings, "export", folder, *arguments, **{"COLUMNS": "120", **more})


def summary_of(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """The table as it is printed."""
    cells = [line.split("│") for line in done.stdout.splitlines() if line.count("│") == 3]
    return {cell[1].strip(): int(cell[2]) for cell in cells}


async def test_it_exports_and_says_what_it_did(exports: Exports) -> None:
    """Counts by outcome; a repeat says that nothing has changed."""
    await exports.bucket.add("a red boat")
    done = run(exports)
    assert (done.returncode, done.stderr) == (0, "")
    assert summary_of(done) == {"exported": 1, "updated": 0, "unchanged": 0, "failed": 0}
    assert exports.path("a red boat.jpg").read_bytes() == b"a red boat"
    assert summary_of(run(exports)) == {"exported": 0, "updated": 0, "unchanged": 1, "failed": 0}


async def test_filters_are_those_of_the_gallery(exports: Exports) -> None:
    """Each narrows; what was exported before stays."""
    await exports.bucket.add("a red boat", tags=["sea"], rating=5)
    await exports.bucket.add("a blue boat", tags=["sea"])
    await exports.bucket.add("a tree")
    run(exports, "--tag", "sea", "--rating", "3", "--since", "2026-05-04", "--until", "2026-05-04")
    assert exports.originals() == ["a red boat.jpg"]
    run(exports, "--tag", "sea", "--type", "image")
    assert exports.originals() == ["a blue boat.jpg", "a red boat.jpg"]
    run(exports, "--since", "2026-05-05")
    assert len(exports.originals()) == 2


async def test_failed_uploads_can_leave_too(exports: Exports) -> None:
    """Their bytes are somebody's, whatever the models said."""
    row = await exports.bucket.add("broken")
    await exports.bucket.change(row.id, 1, "failed", "failed", error_code="truncated")
    run(exports)
    assert exports.originals() == []
    run(exports, "--status", "ready", "--status", "failed")
    assert exports.originals() == ["broken.jpg"]
    assert exports.read_json("broken.jpg")["asset"]["error_code"] == "truncated"


async def test_what_is_not_complete_is_told_with_status_1(exports: Exports) -> None:
    """With the file and the reason; the rest is there."""
    await exports.bucket.add("fine")
    row = await exports.bucket.add("a [lost] boat")
    assert row.r2_key
    await exports.bucket.store.delete(row.r2_key)
    done = run(exports)
    assert done.returncode == 1
    assert "2026/05/a [lost] boat.jpg: its original is not in the bucket" in done.stdout
    assert exports.originals() == ["fine.jpg"]


async def test_what_was_deleted_since_is_said(exports: Exports) -> None:
    """Its files are left; a filtered export has nothing to say about it."""
    row = await exports.bucket.add("a red boat")
    run(exports)
    await exports.bucket.delete(row)
    assert "deleted by now: 1 asset; the files were left" in run(exports).stdout
    assert "deleted by now" not in run(exports, "--tag", "x").stdout
    assert exports.path("a red boat.jpg").exists()


async def test_a_bucket_out_of_reach_is_told_in_a_sentence(exports: Exports) -> None:
    """No traceback, and status 1."""
    done = run(
        exports,
        DAM_STORE_URL="s3://nowhere",
        DAM_STORE_ENDPOINT_URL="http://127.0.0.1:1",
        DAM_STORE_ACCESS_KEY_ID="key",
        DAM_STORE_SECRET_ACCESS_KEY="secret",
        DAM_STORE_MAX_ATTEMPTS="1",
    )
    assert done.returncode == 1
    assert done.stderr
    assert "Traceback" not in done.stderr


async def test_an_original_is_never_held_in_memory(tmp_path: Path) -> None:
    """A stream of 64 MB goes to the disk piece by piece."""
    piece = b"x" * 65536

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(1024):
            yield piece

    target = Target(tmp_path)
    tracemalloc.start()
    try:
        await target.receive("2026/05/large.tif", stream(), 64 << 20, None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "2026/05/large.tif").stat().st_size == 64 << 20
    assert peak < 2 << 20
