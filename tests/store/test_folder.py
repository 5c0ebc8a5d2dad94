"""What is particular to the folder: what lies on the disk, how it gets there, what others do to it."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dam.errors import PreconditionFailedError
from dam.errors import StoreUnavailableError as UnavailableError
from dam.store.draft import Draft
from dam.store.folder import FolderStore
from tests.store.opening import keys, pieces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DAY_S = 24 * 3600


def own_files(root: Path, kind: str) -> list[Path]:
    return [path for path in (root / ".dam" / kind).rglob("*") if path.is_file()]


async def test_objects_are_plain_files_and_nothing_else_is_listed(folder: FolderStore, root: Path) -> None:
    """Anybody can read them with `cat`; drafts, locks and metadata are no objects."""
    await folder.put("assets/a.txt", b"plain", metadata={"n": "1"})
    waits, goes = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(3 << 20)
        waits.set()
        await goes.wait()

    upload = asyncio.create_task(folder.put_stream("assets/b.bin", slow()))
    await waits.wait()
    assert (root / "assets/a.txt").read_bytes() == b"plain"
    assert len(own_files(root, "tmp")) == 1
    assert not (root / "assets/b.bin").exists()
    assert await keys(folder) == ["assets/a.txt"]
    goes.set()
    await upload
    assert await keys(folder) == ["assets/a.txt", "assets/b.bin"]
    assert own_files(root, "tmp") == []


async def test_nothing_of_its_own_is_left_behind(folder: FolderStore, root: Path) -> None:
    """Failed puts leave no draft; replaced and deleted objects leave no metadata and no empty folder."""
    await folder.put("a/b/c", b"1", metadata={"n": "1"})
    etag = await folder.put("a/b/c", b"2", metadata={"n": "2"})
    with pytest.raises(PreconditionFailedError):
        await folder.put("a/b/c", b"3", if_absent=True)
    assert len(own_files(root, "meta")) == 1
    await folder.put("a/b/c", b"4", if_match=etag)
    assert own_files(root, "meta") == own_files(root, "tmp") == []
    await folder.put("a/b/c", b"5", metadata={"n": "1"})
    await folder.delete("a/b/c")
    assert own_files(root, "meta") == own_files(root, "tmp") == []
    assert not (root / "a").exists()


@pytest.mark.parametrize("if_absent", [False, True])
async def test_bytes_are_durable_before_the_name_and_the_name_before_the_answer(
    folder: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch, *, if_absent: bool
) -> None:
    """Data, metadata, the name, the folder that holds the name: a power cut takes no answer back."""
    steps: list[str] = []
    fsync, replace, link = os.fsync, Path.replace, os.link

    def synced(number: int) -> None:
        path = Path(f"/proc/self/fd/{number}").readlink().relative_to(root)
        steps.append("sync " + ("tmp" if "tmp" in path.parts else str(path).split("~")[0]))
        fsync(number)

    def replaced(source: Path, target: Path) -> Path:
        steps.append("name")
        return replace(source, target)

    def linked(source: Path, target: Path) -> None:
        steps.append("name")
        link(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(os, "link", linked)
    await folder.put("new/key", b"x", metadata={"n": "1"}, if_absent=if_absent)
    named = steps.index("name")
    before, after = steps[:named], steps[named + 1 :]
    assert before[0] == "sync tmp"
    assert {"sync .", "sync .dam/meta/new/key", "sync .dam/meta/new"} <= set(before)
    assert after == ["sync new"]
    steps.clear()
    await folder.delete("new/key")
    assert steps == ["sync new"]


async def test_a_failing_disk_is_the_stores_outage_and_leaves_nothing(
    folder: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No space left, in the middle of a stream: an error that says so; with space again the store goes on."""
    await folder.put("k", b"old")
    write = Draft.write

    def full(draft: Draft, data: bytes) -> None:
        if draft.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(draft, data)

    monkeypatch.setattr(Draft, "write", full)
    with pytest.raises(UnavailableError, match="No space left"):
        await folder.put_stream("k", pieces(bytes(3 << 20), 1 << 20))
    monkeypatch.undo()
    assert (await folder.get("k")).data == b"old"
    assert own_files(root, "tmp") == []
    await folder.put_stream("k", pieces(b"new", 1))


async def test_what_dead_processes_left_is_removed_after_a_day(root: Path) -> None:
    """A draft that may still be somebody's stays."""
    first = FolderStore(root)
    await first.close()
    old, young = root / ".dam/tmp/old", root / ".dam/tmp/young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - DAY_S - 60,) * 2)
    second = FolderStore(root)
    assert (old.exists(), young.exists()) == (False, True)
    assert await keys(second) == []
    await second.close()
