"""What every object store does with streams: uploads of unknown length, ranges, memory."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from dam.errors import ObjectNotFoundError, StoreUnavailableError
from tests.store.opening import PART, keys, pieces, read, some_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store import ObjectStore

SIZES = [
    *((0, 1), (1, 1), (70_000, 1000), (PART - 1, 65536), (PART, PART), (PART, 65536), (PART + 1, PART + 1)),
    *((2 * PART, 300_000), (3 * PART + 17, 1 << 20)),
]


class BrokenOffError(Exception):
    """What a client that goes away looks like to the store."""


@pytest.mark.parametrize(("size", "piece"), SIZES)
async def test_a_stream_of_any_length_arrives_whole(store: ObjectStore, size: int, piece: int) -> None:
    """Nothing, a byte, exactly a part, several parts: size, hash, bytes, type and metadata are right."""
    data = some_bytes(size)
    returned = await store.put_stream(
        "big", pieces(data, piece), content_type="image/tiff", metadata={"a": "b"}
    )
    stored = await store.get("big")
    assert returned == (stored.info.size, hashlib.sha256(data).hexdigest())
    assert returned.size == size
    assert stored.data == data
    assert (stored.info.content_type, stored.info.metadata) == ("image/tiff", {"a": "b"})


async def test_empty_and_huge_pieces_are_no_matter(store: ObjectStore) -> None:
    """A stream's pieces are its sender's affair."""
    data = some_bytes(2 * PART + 5)

    async def uneven() -> AsyncIterator[bytes]:
        for piece in (b"", data[:1], b"", data[1:-1], data[-1:], b""):
            yield piece

    assert (await store.put_stream("k", uneven())).size == len(data)
    assert (await store.get("k")).data == data


@pytest.mark.parametrize("before", [0, 1000, PART + 1000, 2 * PART])
async def test_nothing_is_seen_of_a_stream_that_fails(store: ObjectStore, before: int) -> None:
    """The sender's own error passes through; what was at the key before is untouched."""
    await store.put("old", b"old")

    async def broken() -> AsyncIterator[bytes]:
        async for piece in pieces(some_bytes(before), 400_000):
            yield piece
        raise BrokenOffError

    for key in ("old", "new"):
        with pytest.raises(BrokenOffError):
            await store.put_stream(key, broken())
    assert await keys(store) == ["old"]
    assert (await store.get("old")).data == b"old"


@pytest.mark.parametrize("before", [1000, PART + 1000])
async def test_nothing_is_seen_of_a_stream_that_is_cancelled(store: ObjectStore, before: int) -> None:
    """Nor is anything seen before it has ended."""
    waits = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield some_bytes(before)
        waits.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(store.put_stream("k", stalling()))
    await asyncio.wait_for(waits.wait(), 20)
    with pytest.raises(ObjectNotFoundError):
        await store.head("k")
    assert await keys(store) == []
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await keys(store) == []
    await store.put("k", b"x", if_absent=True)


async def test_a_stream_replaces_an_object_at_once(store: ObjectStore) -> None:
    """Readers see the old bytes until the new ones are complete."""
    await store.put("k", b"old", metadata={"old": "1"})
    data = some_bytes(PART + 1)

    async def watched() -> AsyncIterator[bytes]:
        async for piece in pieces(data, PART):
            yield piece
            assert (await store.get("k")).data == b"old"

    await store.put_stream("k", watched())
    stored = await store.get("k")
    assert (stored.data, stored.info.metadata) == (data, {})


async def test_streams_to_one_key_at_once_do_not_mix(store: ObjectStore) -> None:
    """The object is one of them, whole."""
    bodies = [some_bytes(PART + 10, seed) for seed in range(3)]
    await asyncio.gather(*(store.put_stream("k", pieces(body, 500_000)) for body in bodies))
    assert (await store.get("k")).data in bodies


@pytest.mark.parametrize(
    ("start", "end"),
    [
        *(
            (0, None),
            (0, 1),
            (0, 0),
            (7, 7),
            (9, 4),
            (1, 3_000_000),
            (2_999_999, None),
            (2_999_999, 3_000_000),
        ),
        *((3_000_000, None), (3_000_001, None), (2_000_000, 9_000_000), (5_000_000, 6_000_000)),
    ],
)
async def test_ranges_are_as_in_a_slice(store: ObjectStore, start: int, end: int | None) -> None:
    """From `start` up to and without `end`; beyond the object there is nothing, and that is no error."""
    data = some_bytes(3_000_000)
    await store.put("k", data)
    assert await read(store, "k", start, end) == data[start:end]


async def test_an_empty_object_streams_nothing(store: ObjectStore) -> None:
    """Where S3 itself would call the range wrong."""
    await store.put("empty", b"")
    for start, end in ((0, None), (0, 5), (2, None)):
        assert await read(store, "empty", start, end) == b""


async def test_a_reader_may_leave_early(store: ObjectStore) -> None:
    """Many streams left after their first chunk exhaust nothing."""
    data = some_bytes(2 << 20)
    await store.put("k", data)
    for _ in range(40):
        stream = store.stream("k")
        chunk = await anext(stream)
        assert data.startswith(chunk)
        await stream.aclose()  # type: ignore[attr-defined]  # an async generator, in every adapter
    assert await read(store, "k") == data


async def test_a_reader_never_sees_two_versions_mixed(store: ObjectStore) -> None:
    """An object replaced while it is read gives the old bytes to the end, or an error."""
    old, new = some_bytes(12 << 20, 1), some_bytes(12 << 20, 2)
    await store.put("k", old)
    stream = store.stream("k")
    seen = await anext(stream)
    await store.put("k", new)
    try:
        async for chunk in stream:
            seen += chunk
    except StoreUnavailableError:
        assert old.startswith(seen)
    else:
        assert seen == old


async def test_memory_stays_at_one_part(real_store: ObjectStore) -> None:
    """Fifty megabytes up and down in a few."""
    block, count = some_bytes(1 << 20), 50
    whole = hashlib.sha256(block * count).hexdigest()

    async def body() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield block

    tracemalloc.start()
    try:
        await real_store.put_stream("k", body())
        _, peak_up = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        digest = hashlib.sha256()
        async for chunk in real_store.stream("k"):
            digest.update(chunk)
        _, peak_down = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert digest.hexdigest() == whole
    assert peak_up < 10 << 20
    assert peak_down < 5 << 20
