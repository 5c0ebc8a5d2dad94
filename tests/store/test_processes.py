"""Several processes on one store, and the death of one of them."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from dam.store import open_store
from tests.store.opening import keys, variables

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from dam.settings import DamSettings
    from dam.store import ObjectStore


@asynccontextmanager
async def writer(settings: DamSettings, *arguments: str) -> AsyncIterator[Process]:
    """A writer that has opened the store and waits for a line to begin."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.store.writer", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=variables(settings),
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def race(settings: DamSettings, *arguments: str) -> list[list[str]]:
    """Four writers that begin together; what each printed."""
    async with AsyncExitStack() as stack:
        writers = [await stack.enter_async_context(writer(settings, *arguments)) for _ in range(4)]
        async with asyncio.timeout(60):
            outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in writers))
        assert [process.returncode for process in writers] == [0, 0, 0, 0]
    return [output.decode().split() for output, _ in outputs]


async def test_each_key_is_created_by_one_of_four_processes(
    settings: DamSettings, real_store: ObjectStore
) -> None:
    """Sixty keys, four processes that all want them: each is won once, and holds its winner's bytes."""
    won = await race(settings, "create", "claims", "60")
    assert sorted(int(number) for numbers in won for number in numbers) == list(range(60))
    assert len(await keys(real_store, "claims/")) == 60
    owners = {(await real_store.get(f"claims/{number}")).data: number for number in range(60)}
    assert len(owners) == sum(bool(numbers) for numbers in won)


async def test_four_processes_count_together_without_losing_a_step(
    settings: DamSettings, real_store: ObjectStore
) -> None:
    """Fifteen steps each, by conditional put, from one number."""
    await real_store.put("count", b"0")
    await race(settings, "count", "count", "15")
    assert (await real_store.get("count")).data == b"60"


async def test_a_killed_process_leaves_only_whole_objects(
    settings: DamSettings, real_store: ObjectStore
) -> None:
    """`kill -9` in the middle of writing, five times: whatever is listed is complete and of one version."""
    for death in range(5):
        async with writer(settings, "stream", "w", "7") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"go\n")
            if death == 0:  # so that something was there to be replaced
                await asyncio.wait_for(process.stdout.readline(), 30)
            await asyncio.sleep(0.05 + 0.07 * death)
            process.kill()
        found = [info async for info in real_store.list("")]
        assert found
        for info in found:
            stored = await real_store.get(info.key)
            expected = 100_000 if "small" in info.key else 7 << 20
            assert (len(stored.data), len(set(stored.data))) == (expected, 1), info.key
            assert stored.info.metadata == ({"n": "1"} if "small" in info.key else {})
    again = await open_store(settings)
    try:
        await again.put("w/small-0", b"new", if_match=(await again.head("w/small-0")).etag)
    finally:
        await again.close()
