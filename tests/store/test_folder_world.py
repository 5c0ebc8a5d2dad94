"""The folder and everything else that touches it: other programs, the disk that goes away, odd places."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dam.errors import ObjectNotFoundError, PreconditionFailedError, SettingsError, StoreError
from dam.errors import StoreUnavailableError as UnavailableError
from dam.settings import DamSettings
from dam.store import open_store
from tests.store.opening import keys, pieces, read, some_bytes

if TYPE_CHECKING:
    from dam.store.folder import FolderStore


def move(source: Path, target: Path) -> None:
    assert not target.exists()
    source.rename(target)


def count_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


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
