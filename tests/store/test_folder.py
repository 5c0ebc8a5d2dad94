"""What is particular to the folder: what lies on the disk, how it gets there, what others do to it."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dam.errors import ObjectNotFoundError, PreconditionFailedError, SettingsError, StoreError
from dam.errors import StoreUnavailableError as UnavailableError
from dam.settings import DamSettings
from dam.store import open_store
from dam.store.draft import Draft
from dam.store.folder import FolderStore
from tests.store.opening import keys, pieces, read, some_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DAY_S = 24 * 3600


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[FolderStore]:
    opened = FolderStore(tmp_path / "bucket")
    yield opened
    await opened.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


def own_files(root: Path, kind: str) -> list[Path]:
    return [path for path in (root / ".dam" / kind).rglob("*") if path.is_file()]


def move(source: Path, target: Path) -> None:
    assert not target.exists()
    source.rename(target)


def count_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


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


async def test_files_of_others_are_objects(folder: FolderStore, root: Path) -> None:
    """A file put there by hand (or by Delta Lake) is read, replaced under condition, and deleted."""
    (root / "by").mkdir()
    (root / "by/hand.txt").write_bytes(b"hello")
    (root / "by/link.txt").symlink_to(root / "by/hand.txt")
    info = await folder.head("by/hand.txt")
    assert (info.size, info.content_type, info.metadata) == (5, "application/octet-stream", {})
    assert await keys(folder) == ["by/hand.txt", "by/link.txt"]
    (root / "by/hand.txt").write_bytes(b"hello!")
    with pytest.raises(PreconditionFailedError):
        await folder.put("by/hand.txt", b"x", if_match=info.etag)
    with pytest.raises(PreconditionFailedError):
        await folder.put("by/hand.txt", b"x", if_absent=True)
    await folder.delete("by/link.txt")
    await folder.delete("by/hand.txt")
    assert not (root / "by").exists()


async def test_an_etag_never_comes_back(folder: FolderStore, root: Path) -> None:
    """However fast equal puts follow each other, and when the clock has gone back."""
    etags = [await folder.put("k", b"same") for _ in range(50)]
    future = time.time() + 3600
    os.utime(root / "k", (future, future))
    etags += [(await folder.head("k")).etag, await folder.put("k", b"same"), await folder.put("k", b"same")]
    assert len(set(etags)) == len(etags)


async def test_metadata_belongs_to_one_version(folder: FolderStore, root: Path) -> None:
    """A file that somebody replaced behind the store's back does not inherit it."""
    await folder.put("k", b"1", content_type="image/png", metadata={"n": "1"})
    (root / "other").write_bytes(b"2")
    (root / "other").replace(root / "k")
    info = (await folder.get("k")).info
    assert (info.content_type, info.metadata) == ("application/octet-stream", {})


async def test_a_key_cannot_be_both_a_file_and_a_folder(folder: FolderStore) -> None:
    """The one thing that a bucket can and a folder cannot: refused, with the reason."""
    await folder.put("a", b"1")
    for if_absent in (False, True):
        with pytest.raises(StoreError, match="a/b cannot be a file"):
            await folder.put("a/b", b"2", if_absent=if_absent)
    await folder.put("c/d", b"1")
    for if_absent in (False, True):
        with pytest.raises(StoreError, match="c cannot be a file"):
            await folder.put("c", b"2", if_absent=if_absent)
    with pytest.raises(StoreError, match="cannot be a file"):
        await folder.put("x" * 300, b"2")
    assert await keys(folder) == ["a", "c/d"]


async def test_many_that_make_and_empty_one_folder_do_not_meet(folder: FolderStore) -> None:
    """Deleting the last object prunes its folder, in which others are about to put: none of them fails."""

    async def come_and_go(number: int) -> None:
        for _ in range(25):
            await folder.put(f"deep/er/{number}", b"x", metadata={"n": "1"}, if_absent=True)
            await folder.delete(f"deep/er/{number}")

    await asyncio.gather(*(come_and_go(number) for number in range(8)))
    assert await keys(folder) == []


async def test_a_folder_that_goes_away_is_an_outage_not_an_empty_bucket(
    folder: FolderStore, root: Path
) -> None:
    """An unmounted disk: every call says so, and all is well when it is back."""
    await folder.put("k", b"x")
    move(root, root.with_name("elsewhere"))
    for call in (folder.get("k"), folder.head("k"), folder.put("k", b"y"), folder.delete("k"), folder.ping()):
        with pytest.raises(UnavailableError, match="is gone"):
            await call
    with pytest.raises(UnavailableError, match="is gone"):
        await keys(folder)
    with pytest.raises(UnavailableError, match="is gone"):
        await folder.put_stream("k", pieces(b"y", 1))
    move(root.with_name("elsewhere"), root)
    assert (await folder.get("k")).data == b"x"


async def test_a_cancelled_reader_leaks_no_file(folder: FolderStore) -> None:
    """A hundred cancelled at their first read leave as many open files as before."""
    await folder.put("k", some_bytes(1000))
    await read(folder, "k")
    before = count_open_files()
    for number in range(100):
        reader = asyncio.create_task(read(folder, "k"))
        await asyncio.sleep(0 if number % 2 else 0.001)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    await folder.close()
    assert count_open_files() <= before


async def test_the_url_may_hold_odd_characters(tmp_path: Path) -> None:
    """A folder with blanks, percent signs and accents; one that cannot be made is a wrong setting."""
    place = tmp_path / "my pictures 100% é"
    store = await open_store(DamSettings(store_url=place.as_uri()))
    await store.put("k", b"x")
    assert (place / "k").read_bytes() == b"x"
    assert store.url == str(place)
    assert await store.sign_url("k", expires_s=60) is None
    await store.close()
    with pytest.raises(SettingsError, match="cannot be made"):
        await open_store(DamSettings(store_url=(place / "k").as_uri()))
    with pytest.raises(SettingsError, match="file:///folder or s3://bucket"):
        await open_store(DamSettings(store_url="ftp://x"))


async def test_a_link_out_of_the_folder_is_not_followed_by_listings(
    folder: FolderStore, root: Path, tmp_path: Path
) -> None:
    """A symbolic link to a folder is not walked: it may lead anywhere, and in circles."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_bytes(b"x")
    (root / "in").symlink_to(tmp_path / "outside", target_is_directory=True)
    (root / "circle").symlink_to(root, target_is_directory=True)
    await folder.put("k", b"x")
    assert await keys(folder) == ["k"]
    with pytest.raises(ObjectNotFoundError):
        await folder.get("none")
