"""A folder that is not the export's alone: files of others, edits by other programs, no room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dam.export.target import Target, TargetError
from tests.export.exporting import counts

if TYPE_CHECKING:
    from tests.export.exporting import Exports


@pytest.mark.parametrize("theirs", ["a red boat.jpg", "a red boat.jpg.xmp", "a red boat.jpg.json"])
async def test_files_of_others_are_never_touched(exports: Exports, theirs: str) -> None:
    """The asset gets another name."""
    row = await exports.bucket.add("a red boat")
    exports.path(theirs).parent.mkdir(parents=True)
    exports.path(theirs).write_bytes(b"not yours!")
    for _ in range(2):
        await exports.run()
        assert exports.path(theirs).read_bytes() == b"not yours!"
        assert exports.path(f"a red boat-{row.id[-8:]}.jpg").read_bytes() == b"a red boat"
        assert len(exports.files()) == 4


async def test_a_sidecar_that_another_program_has_changed_is_left(exports: Exports) -> None:
    """And said so; the JSON goes on telling what the catalogue knows."""
    row = await exports.bucket.add("a red boat")
    await exports.run()
    exports.path("a red boat.jpg.xmp").write_bytes(b"rated in digiKam")
    assert counts(await exports.run()) == {"unchanged": 1}
    for revision in (1, 2):
        await exports.bucket.change(row.id, revision, "edited", "ready", title=f"title {revision}")
        report = await exports.run()
        assert counts(report) == {"updated": 1}
        assert "another program" in report.problems[0].reason
        assert exports.path("a red boat.jpg.xmp").read_bytes() == b"rated in digiKam"
        assert exports.read_json("a red boat.jpg")["asset"]["title"] == f"title {revision}"


async def test_an_original_that_was_changed_is_told_and_left(exports: Exports) -> None:
    """One of another length at once, any other with `verify`; moved away, it is exported again."""
    await exports.bucket.add("a red boat")
    await exports.run()
    path = exports.path("a red boat.jpg")
    path.write_bytes(b"A red boat")
    assert counts(await exports.run()) == {"unchanged": 1}
    assert counts(await exports.run(verify=True)) == {"failed": 1}
    path.write_bytes(b"cropped")
    report = await exports.run()
    assert counts(report) == {"failed": 1}
    assert "changed since" in report.problems[0].reason
    assert path.read_bytes() == b"cropped"
    path.unlink()
    assert counts(await exports.run()) == {"updated": 1}
    assert path.read_bytes() == b"a red boat"


async def test_one_export_at_a_time(exports: Exports) -> None:
    """A second one into the same folder is told so."""
    with Target(exports.folder).locked(), pytest.raises(TargetError, match="Another export"):
        await exports.run()
    await exports.run()


async def test_a_folder_that_cannot_be_used_is_told(exports: Exports) -> None:
    """A file of that name, or a disk that is too small for what is wanted."""
    exports.folder.write_bytes(b"")
    with pytest.raises(TargetError, match="cannot be used"):
        await exports.run()
    exports.folder.unlink()
    await exports.bucket.add("huge", size_bytes=1 << 60)
    with pytest.raises(TargetError, match="left"):
        await exports.run()
