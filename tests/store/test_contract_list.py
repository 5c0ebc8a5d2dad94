"""What every object store's listing does: order, prefixes, where it starts, and many pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.store.opening import keys

if TYPE_CHECKING:
    from dam.store import ObjectStore

KEYS = [
    *("a", "a-b", "a.b", "a/1", "a/b/c", "a/b/d", "a/b0", "a0", "aa", "assets/Z", "assets/a", "assets/~"),
    *("b/c", "b c", "é", "\uff5e", "\U0001f98a", "zz/é/1", "zz/\U0001f98a/1", "zz/\uff5e/1", "B", "~"),
]
IN_ORDER = sorted(KEYS, key=str.encode)


@pytest.fixture
async def filled(store: ObjectStore) -> ObjectStore:
    """A folder cannot hold both `a` and `a/1`, so no key is another's folder."""
    for key in KEYS:
        if key != "a":
            await store.put(key, key.encode())
    return store


def expected(prefix: str = "", start_after: str = "") -> list[str]:
    """By bytes of UTF-8, as S3 promises."""
    after = start_after.encode()
    return [key for key in IN_ORDER if key != "a" and key.startswith(prefix) and key.encode() > after]


async def test_keys_come_in_the_order_of_their_bytes(filled: ObjectStore) -> None:
    """Whatever folders lie between them."""
    assert await keys(filled) == expected()
    sizes = {info.key: info.size async for info in filled.list("")}
    assert sizes == {key: len(key.encode()) for key in expected()}


@pytest.mark.parametrize(
    "prefix",
    ["a", "a/", "a/b", "a/b/", "assets/", "assets/a", "z", "zz/é", "none", "none/", "a/b/c/", "../", "/"],
)
async def test_a_prefix_is_text_not_a_folder(filled: ObjectStore, prefix: str) -> None:
    """It may end inside a name; one that nothing has lists nothing."""
    assert await keys(filled, prefix) == expected(prefix)


@pytest.mark.parametrize("prefix", ["", "a", "a/", "zz/"])
async def test_a_listing_goes_on_after_any_text(filled: ObjectStore, prefix: str) -> None:
    """After a key, between keys, before all and after all: nothing repeated, nothing left out."""
    for start_after in ("", *KEYS, "a/", "a/b", "a/b/", "a/zzz", "0", "zz/z", "\U0010ffff"):
        found = await keys(filled, prefix, start_after)
        assert found == expected(prefix, start_after), start_after


async def test_what_a_listing_tells_is_what_a_head_tells(filled: ObjectStore) -> None:
    """Size, etag and time (S3 tells it in seconds in one place and finer in the other)."""
    async for info in filled.list("a/"):
        head = await filled.head(info.key)
        assert (info.size, info.etag) == (head.size, head.etag)
        assert abs(info.last_modified - head.last_modified).total_seconds() < 2


async def test_more_than_a_page_is_listed_whole(store: ObjectStore) -> None:
    """1,100 keys in two folders, and again from the middle; deleted ones go missing without an error."""
    names = [f"{folder}/{number:04}" for folder in "pq" for number in range(550)]
    room = asyncio.Semaphore(16)

    async def put(name: str) -> None:
        async with room:
            await store.put(name, b"")

    await asyncio.gather(*map(put, names))
    assert await keys(store) == names
    assert await keys(store, start_after="p/0300") == names[301:]
    assert await keys(store, "q/") == names[550:]
    listing = store.list("")
    seen = [(await anext(listing)).key]
    await store.delete("q/0549")
    seen += [info.key async for info in listing]
    assert seen[:1099] == names[:1099]


async def test_an_empty_store_lists_nothing(store: ObjectStore) -> None:
    """Nor does one whose last object was deleted, folders or not."""
    assert await keys(store) == []
    await store.put("a/b/c", b"x")
    await store.delete("a/b/c")
    assert await keys(store) == await keys(store, "a/") == []
