"""What an export writes, and what a repeated one does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dam.export.assets import Outcome
from tests.export.exporting import counts
from tests.fakes.store import MemoryStore
from tests.purge.mortal import Killed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.export.exporting import Exports


async def test_every_live_asset_is_written_with_its_sidecars(either_exports: Exports) -> None:
    """Bytes as they were uploaded, under their names; what failed or was deleted is not among them."""
    exports = either_exports
    await exports.bucket.add("a red boat")
    await exports.bucket.add("a blue boat", captured_at=datetime(2020, 1, 2, tzinfo=UTC))
    await exports.bucket.add_deleted("a purple walrus")
    await exports.bucket.change((await exports.bucket.add("broken")).id, 1, "failed", "failed")
    assert counts(await exports.run()) == {"exported": 2}
    assert exports.files() == [
        f"2026/05/a {colour} boat.jpg{ending}"
        for colour in ("blue", "red")
        for ending in ("", ".json", ".xmp")
    ]
    assert exports.path("a red boat.jpg").read_bytes() == b"a red boat"
    assert exports.path("a red boat.jpg").stat().st_mtime == datetime(2026, 5, 4, tzinfo=UTC).timestamp()
    assert exports.path("a blue boat.jpg").stat().st_mtime == datetime(2020, 1, 2, tzinfo=UTC).timestamp()


async def test_a_repeat_writes_nothing(exports: Exports) -> None:
    """Not a file is touched, and nothing is read from the bucket's originals."""
    for name in ("a red boat", "a blue boat"):
        await exports.bucket.add(name)
    await exports.run()
    before = {name: (exports.folder / name).stat().st_mtime_ns for name in exports.files()}
    report = await exports.run(store=MemoryStore())
    assert counts(report) == {"unchanged": 2}
    assert {name: (exports.folder / name).stat().st_mtime_ns for name in exports.files()} == before


async def test_an_edit_is_brought_up_to_date_without_the_original(exports: Exports) -> None:
    """Only sidecars are written; new assets come too."""
    row = await exports.bucket.add("a red boat")
    await exports.run()
    await exports.bucket.change(row.id, 1, "edited", "ready", title="The boat")
    report = await exports.run(store=MemoryStore())
    assert counts(report) == {"updated": 1}
    assert exports.read_xmp("a red boat.jpg").text("dc:title") == "The boat"
    assert exports.read_json("a red boat.jpg")["revision"] == 2
    await exports.bucket.add("a blue boat")
    assert counts(await exports.run()) == {"unchanged": 1, "exported": 1}


async def test_a_new_name_moves_the_files(exports: Exports) -> None:
    """Under the old one nothing is left; but for upper and lower case they stay where they are."""
    row = await exports.bucket.add("a red boat")
    await exports.run()
    await exports.bucket.change(row.id, 1, "edited", "ready", filename="sailing.jpg")
    await exports.run()
    names = ["sailing.jpg", "sailing.jpg.json", "sailing.jpg.xmp"]
    assert exports.files() == [f"2026/05/{name}" for name in names]
    await exports.bucket.change(row.id, 2, "edited", "ready", filename="Sailing.JPG")
    assert counts(await exports.run()) == {"updated": 1}
    assert exports.files() == [f"2026/05/{name}" for name in names]
    assert exports.read_json("sailing.jpg")["asset"]["filename"] == "Sailing.JPG"


async def test_equal_names_are_told_apart_and_stay_so(exports: Exports) -> None:
    """In upper and lower case too; a filtered export before changes nothing about it."""
    first = await exports.bucket.add("one", filename="boat.jpg")
    second = await exports.bucket.add("two", filename="BOAT.jpg", tags=["sea"])
    third = await exports.bucket.add("three", filename="boat.jpg")
    await exports.run(tags=("sea",))
    await exports.run()
    expected = sorted(["BOAT.jpg", f"boat-{first.id[-8:]}.jpg", f"boat-{third.id[-8:]}.jpg"])
    assert exports.originals() == expected
    assert exports.path("BOAT.jpg").read_bytes() == b"two"
    assert exports.path(f"boat-{first.id[-8:]}.jpg").read_bytes() == b"one"
    assert counts(await exports.run()) == {"unchanged": 3}
    await exports.bucket.delete(second)
    await exports.run()
    assert exports.originals() == expected


async def test_damage_in_the_bucket_is_told_and_not_exported(exports: Exports) -> None:
    """Missing, cut off or altered: the reason is told, the others come."""
    await exports.bucket.add("fine")
    for name, damage in (("missing", None), ("short", b"s"), ("altered", b"ALTERED")):
        row = await exports.bucket.add(name)
        assert row.r2_key
        if damage is None:
            await exports.bucket.store.delete(row.r2_key)
        else:
            await exports.bucket.store.put(row.r2_key, damage)
    unknown = await exports.bucket.add("unknown", r2_key=None)
    report = await exports.run()
    assert counts(report) == {"exported": 1, "failed": 4}
    reasons = {problem.path.rpartition("/")[2]: problem.reason for problem in report.problems}
    assert "not in the bucket" in reasons["missing.jpg"]
    assert "not in the bucket" in reasons[f"{unknown.filename}"]
    assert "not those that were uploaded" in reasons["short.jpg"]
    assert "not those that were uploaded" in reasons["altered.jpg"]
    assert exports.originals() == ["fine.jpg"]
    assert len(exports.files()) == 3


class Breaking(MemoryStore):
    """A bucket that is gone in the middle of an original."""

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """A few bytes, then the end of the process."""
        del key, start, end
        yield b"a re"
        raise Killed


async def test_what_was_cut_off_is_taken_up_again(exports: Exports) -> None:
    """Whether inside an original or between the files of an asset; half a file is never seen."""
    row = await exports.bucket.add("a red boat")
    with pytest.raises(Killed):
        await exports.run(store=Breaking())
    assert exports.originals() == []
    await exports.run()
    whole = {name: (exports.folder / name).read_bytes() for name in exports.files()}
    for missing in ("a red boat.jpg", "a red boat.jpg.xmp", "a red boat.jpg.json"):
        exports.path(missing).unlink()
        await exports.run()
        assert {name: (exports.folder / name).read_bytes() for name in exports.files()} == whole
    (exports.path("a red boat.jpg.json")).unlink()
    (exports.path("a red boat.jpg.xmp")).unlink()
    (exports.path(".dam-export-0123456789abcdef")).write_bytes(b"hal")  # a power cut
    await exports.run()
    assert exports.files() == list(whole)
    assert exports.read_json("a red boat.jpg")["id"] == row.id


async def test_a_purge_in_between_leaves_nobody_else_out(exports: Exports) -> None:
    """What was selected and is gone when its turn comes is no failure."""
    kept = await exports.bucket.add("kept")
    gone = await exports.bucket.add("gone")
    await exports.run()
    await exports.bucket.delete(gone)
    await exports.bucket.purge()
    report = await exports.run()
    assert (counts(report), report.others) == ({"unchanged": 1}, 1)
    assert exports.path("gone.jpg").exists()
    assert exports.read_json("kept.jpg")["id"] == kept.id


def test_outcomes_have_names_for_people() -> None:
    """They stand in the summary as they are."""
    assert [outcome.value for outcome in Outcome] == ["exported", "updated", "unchanged", "failed"]
