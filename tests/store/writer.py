"""A writer as a process of its own: `python -m tests.store.writer create|count|stream PREFIX COUNT`.

The store is the one that its `DAM_*` variables name. It prints what it has done, for the test to judge.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from dam.errors import PreconditionFailedError
from dam.settings import DamSettings
from dam.store import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store import ObjectStore


async def create(store: ObjectStore, prefix: str, count: int) -> None:
    """Create that many keys, several at once; print those that were won."""

    async def one(number: int) -> None:
        try:
            await store.put(f"{prefix}/{number}", b"%d" % os.getpid(), if_absent=True)
        except PreconditionFailedError:
            return
        print(number, flush=True)  # noqa: T201 - its output is the test's

    for at in range(0, count, 5):
        await asyncio.gather(*map(one, range(at, at + 5)))


async def add(store: ObjectStore, key: str, count: int) -> None:
    """Add one that many times to a number, by read and conditional put."""
    for _ in range(count):
        while True:
            seen = await store.get(key)
            try:
                await store.put(key, b"%d" % (int(seen.data) + 1), if_match=seen.info.etag)
            except PreconditionFailedError:
                continue
            break


async def stream(store: ObjectStore, prefix: str, count: int) -> None:
    """Write objects of some megabytes without an end, each byte the same within one, until it is killed."""

    async def body(number: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield bytes([number % 256]) * (1 << 20)

    number = 0
    while True:
        await store.put(f"{prefix}/small-{number % 7}", bytes([number % 256]) * 100_000, metadata={"n": "1"})
        await store.put_stream(f"{prefix}/large-{number % 3}", body(number))
        number += 1
        print(number, flush=True)  # noqa: T201 - its output is the test's


async def main(what: str, prefix: str, count: int) -> None:
    """Open the store, wait for a line on standard input (so that all start at once), and work."""
    store = await open_store(DamSettings())
    try:
        await store.ping()
        print("ready", flush=True)  # noqa: T201 - its output is the test's
        await asyncio.to_thread(sys.stdin.readline)
        await {"create": create, "count": add, "stream": stream}[what](store, prefix, count)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
