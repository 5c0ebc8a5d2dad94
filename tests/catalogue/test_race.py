"""Four committers race on one table."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from dam.catalogue import Catalogue
from dam.ids import new_id
from tests.store.opening import variables

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from dam.settings import DamSettings

WRITERS, ROUNDS = 4, 4


@asynccontextmanager
async def racer(settings: DamSettings, *arguments: str) -> AsyncIterator[Process]:
    """One that waits for a line to begin."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.catalogue.racer", *arguments),
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


async def test_four_committers_race_and_no_revision_repeats_and_none_is_lost(settings: DamSettings) -> None:
    """Four processes make one table at once and edit the same two assets, and some of their own.

    Each asset's revisions are 1, 2, 3 … without gap or repeat, and the rows are exactly the changes that the
    processes were told are committed: none is lost, none is there that nobody made.
    """
    shared = [new_id(), new_id()]
    async with AsyncExitStack() as stack:
        racers = [
            await stack.enter_async_context(racer(settings, str(ROUNDS), *shared)) for _ in range(WRITERS)
        ]
        async with asyncio.timeout(240):
            outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in racers))
        assert [process.returncode for process in racers] == [0] * WRITERS
    told = [change_id for output, _ in outputs for change_id in output.decode().split()]
    assert len(set(told)) == len(told) == WRITERS * ROUNDS * (len(shared) + 1)
    catalogue = await Catalogue.open(settings)
    try:
        histories = [await catalogue.history(asset_id) for asset_id in shared]
        for history in histories:
            assert [row.revision for row in history] == list(range(1, WRITERS * ROUNDS + 1))
        edited = {row.change_id for history in histories for row in history}
        assert len(edited) == WRITERS * ROUNDS * len(shared)
        rows = catalogue._handle.scan(["id", "revision", "change_id"]).read_all().to_pylist()
    finally:
        await catalogue.close()
    assert sorted(row["change_id"] for row in rows) == sorted(told)
    assert len({(row["id"], row["revision"]) for row in rows}) == len(rows)
