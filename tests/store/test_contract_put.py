"""What every object store does with whole objects, conditions, metadata and keys."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dam.errors import ObjectNotFoundError, PreconditionFailedError, StoreError
from tests.store.opening import keys, pieces, read, some_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from dam.store import ObjectStore

ODD_KEYS = [
    "assets/photo é 写真 🦊.jpg",
    "100%/%2e%2e/%20%2F+.txt",
    "a b/ c /d ",
    "dots/..hidden/.x/...",
    "quotes'\"<>&?#;=@:,!$()*[]{}|\\^`~.json",
    "e\u0301 is not \u00e9",
    "A/case",
    "a/case",
    "x" * 200 + "/" + "y" * 180,
]
WRONG_KEYS = [
    *("", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", "a/./b"),
    *(".dam", ".dam/tmp/x", "a\0b", "\ud800", "x" * 1025),
]


async def test_what_was_put_is_read_back_with_its_description(store: ObjectStore) -> None:
    """Bytes, size, type, metadata and a time; a head says the same as a read."""
    data = some_bytes(100_000)
    etag = await store.put("a/b.bin", data, content_type="image/png", metadata={"filename": "x%20y", "n": ""})
    stored = await store.get("a/b.bin")
    assert stored.data == data
    assert (stored.info.key, stored.info.size, stored.info.etag) == ("a/b.bin", len(data), etag)
    assert (stored.info.content_type, stored.info.metadata) == ("image/png", {"filename": "x%20y", "n": ""})
    assert abs(stored.info.last_modified - datetime.now(UTC)) < timedelta(minutes=1)
    assert await store.head("a/b.bin") == stored.info


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
async def test_a_file_is_put_like_its_bytes(store: ObjectStore, tmp_path: Path, size: int) -> None:
    """Under the same conditions, as often as it is tried, and whole."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(some_bytes(size, seed=1))
    second.write_bytes(some_bytes(size + 1, seed=2))
    etag = await store.put("a.bin", first, content_type="image/png", if_absent=True)
    with pytest.raises(PreconditionFailedError):
        await store.put("a.bin", second, if_absent=True)
    assert (await store.get("a.bin")).data == first.read_bytes()
    newer = await store.put("a.bin", second, if_match=etag)
    with pytest.raises(PreconditionFailedError):
        await store.put("a.bin", first, if_match=etag)
    stored = await store.get("a.bin")
    assert (stored.data, stored.info.etag) == (second.read_bytes(), newer)


async def test_a_put_replaces_all_of_what_was_there(store: ObjectStore) -> None:
    """Bytes, type and metadata of the older object are gone, and the etag is another."""
    first = await store.put("k", b"first", content_type="text/plain", metadata={"old": "1"})
    second = await store.put("k", b"", metadata={"new": "2"})
    stored = await store.get("k")
    assert first != second == stored.info.etag
    assert (stored.data, stored.info.size) == (b"", 0)
    assert (stored.info.content_type, stored.info.metadata) == ("application/octet-stream", {"new": "2"})


async def test_what_is_not_there_is_named_as_missing(store: ObjectStore) -> None:
    """A missing key, a deleted one and a mere prefix cannot be read; deleting them is no error."""
    await store.put("there/x", b"x")
    await store.put("gone", b"x")
    await store.delete("gone")
    for key in ("missing", "gone", "there", "there/x/y"):
        with pytest.raises(ObjectNotFoundError):
            await store.get(key)
        with pytest.raises(ObjectNotFoundError):
            await store.head(key)
        for start, end in ((0, None), (3, 9), (3, 3)):
            with pytest.raises(ObjectNotFoundError):
                await read(store, key, start, end)
        await store.delete(key)
    assert await keys(store) == ["there/x"]


async def test_if_absent_never_replaces(store: ObjectStore) -> None:
    """The second put loses and changes nothing; after a deletion the key is free again."""
    await store.put("claim", b"mine", if_absent=True)
    with pytest.raises(PreconditionFailedError):
        await store.put("claim", b"yours", if_absent=True)
    assert (await store.get("claim")).data == b"mine"
    await store.delete("claim")
    await store.put("claim", b"yours", if_absent=True)


async def test_of_many_that_create_one_key_at_once_one_wins(store: ObjectStore) -> None:
    """Exactly one put succeeds, and its bytes are what is there."""
    for round_ in range(3):
        names = [f"{round_} {number}".encode() for number in range(12)]
        outcomes = await asyncio.gather(
            *(store.put(f"race/{round_}", name, if_absent=True) for name in names), return_exceptions=True
        )
        winners = [name for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, str)]
        losers = [outcome for outcome in outcomes if isinstance(outcome, PreconditionFailedError)]
        assert (len(winners), len(losers)) == (1, 11), outcomes
        assert (await store.get(f"race/{round_}")).data == winners[0]


async def test_if_match_replaces_only_the_version_that_was_seen(store: ObjectStore) -> None:
    """A stale etag, one that never was, and one of an object that is gone all lose."""
    first = await store.put("lease", b"1")
    second = await store.put("lease", b"22", metadata={"by": "me"}, if_match=first)
    assert (await store.head("lease")).etag == second != first
    for stale in (first, "0" * 32):
        with pytest.raises(PreconditionFailedError):
            await store.put("lease", b"333", if_match=stale)
    assert (await store.get("lease")).data == b"22"
    listed = [info async for info in store.list("lease")]
    third = await store.put("lease", b"333", if_match=listed[0].etag)
    await store.delete("lease")
    with pytest.raises(PreconditionFailedError):
        await store.put("lease", b"4444", if_match=third)
    assert await keys(store) == []


async def test_many_that_count_with_if_match_lose_no_step(store: ObjectStore) -> None:
    """Eight tasks, each adding three: read, add, put if unchanged, again where it was changed."""
    await store.put("count", b"0")

    async def add() -> None:
        while True:
            seen = await store.get("count")
            try:
                await store.put("count", b"%d" % (int(seen.data) + 1), if_match=seen.info.etag)
            except PreconditionFailedError:
                continue
            return

    async def add_thrice() -> None:
        for _ in range(3):
            await add()

    async with asyncio.timeout(60):
        await asyncio.gather(*(add_thrice() for _ in range(8)))
    assert (await store.get("count")).data == b"24"


@pytest.mark.parametrize("key", ODD_KEYS)
async def test_odd_keys_stay_apart_and_come_back_as_they_were(store: ObjectStore, key: str) -> None:
    """Accents, percent signs, blanks, quotes and dots: every method takes that very key."""
    data = key.encode()
    await store.put(key, data, metadata={"m": "1"})
    await store.put_stream(key + "2", pieces(data, 3))
    assert await keys(store) == [key, key + "2"]
    assert await keys(store, key) == [key, key + "2"]
    assert (await store.get(key)).data == (await store.get(key + "2")).data == data
    assert await read(store, key, 1) == data[1:]
    assert (await store.head(key)).metadata == {"m": "1"}
    await store.put(key, b"again", if_match=(await store.head(key)).etag)
    await store.delete(key)
    assert await keys(store) == [key + "2"]


@pytest.mark.parametrize("key", WRONG_KEYS)
async def test_keys_that_are_no_plain_path_are_refused(store: ObjectStore, key: str) -> None:
    """No key reaches out of a folder, into the adapter's own files, or is changed on its way."""
    with pytest.raises(StoreError, match="key"):
        await store.put(key, b"x")
    with pytest.raises(StoreError, match="key"):
        await store.put_stream(key, pieces(b"x", 1))
    for call in (store.get, store.head, store.delete):
        with pytest.raises(StoreError, match="key"):
            await call(key)
    with pytest.raises(StoreError, match="key"):
        await read(store, key)
    assert await keys(store) == []


@pytest.mark.parametrize(
    "metadata", [{"n": "é"}, {"n": "a\nb"}, {"n": " a"}, {"Name": "a"}, {"a b": "c"}, {"": "c"}]
)
async def test_metadata_that_a_header_would_change_is_refused(
    store: ObjectStore, metadata: dict[str, str]
) -> None:
    """Nothing is stored rather than something else."""
    with pytest.raises(StoreError, match="Percent-encode"):
        await store.put("k", b"x", metadata=metadata)
    with pytest.raises(StoreError, match="Percent-encode"):
        await store.put_stream("k", pieces(b"x", 1), metadata=metadata)
    assert await keys(store) == []


async def test_printable_metadata_survives_unchanged(store: ObjectStore) -> None:
    """Every printable ASCII character, on both ways of putting."""
    metadata = {"all": "x" + "".join(map(chr, range(0x20, 0x7F))) + "x", "two-words": "a  b"}
    await store.put("p", b"x", metadata=metadata)
    await store.put_stream("s", pieces(b"x", 1), content_type="image/heic", metadata=metadata)
    assert (await store.head("p")).metadata == (await store.head("s")).metadata == metadata
    assert (await store.get("s")).info.content_type == "image/heic"


async def test_a_healthy_store_answers_a_ping_and_tells_where_it_is(store: ObjectStore) -> None:
    """The URL is fit for a log."""
    await store.ping()
    assert store.url
    assert "secret" not in store.url
