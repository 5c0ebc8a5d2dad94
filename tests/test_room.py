"""Room for what is large: never more than the total, first come, first served."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from dam.room import NoRoomError, Room

if TYPE_CHECKING:
    from collections.abc import Sequence


async def hold(room: Room, amount: int, log: list[str], name: str, release: asyncio.Event) -> None:
    async with room.hold(amount):
        log.append(name)
        await release.wait()


async def test_what_fits_together_is_held_together_and_the_rest_waits_its_turn() -> None:
    """First come, first served: a small one does not overtake a large one that waits."""
    room, log, release = Room(10), list[str](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for name, amount in (("a", 6), ("b", 4), ("large", 10), ("late", 1)):
            group.create_task(hold(room, amount, log, name, release))
        for _ in range(5):
            await asyncio.sleep(0)
        assert log == ["a", "b"]
        release.set()
    assert log == ["a", "b", "large", "late"]


async def test_what_is_larger_than_the_room_is_held_alone() -> None:
    """A picture beyond all bounds is worked on, with nothing beside it."""
    room, log, release = Room(10), list[str](), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold(room, 1_000, log, "huge", release))
        group.create_task(hold(room, 0, log, "nothing", release))
        group.create_task(hold(room, 1, log, "small", release))
        for _ in range(5):
            await asyncio.sleep(0)
        assert log == ["huge", "nothing"]
        release.set()
    assert log == ["huge", "nothing", "small"]


@pytest.mark.parametrize("cancelled", [[1], [2], [1, 2], [0, 1]])
async def test_a_cancelled_wait_leaves_the_room_as_it_was(cancelled: Sequence[int]) -> None:
    """Whoever is called off while waiting, or in the moment of being let in, holds nothing."""
    room, release = Room(10), asyncio.Event()
    tasks = [asyncio.create_task(hold(room, 10, [], str(number), release)) for number in range(3)]
    await asyncio.sleep(0)
    for number in cancelled:
        tasks[number].cancel()
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), room.hold(10):
        pass
    assert room._taken == 0


async def test_never_more_than_the_total() -> None:
    """However many ask and give up, what is held never exceeds the total, and all is given back."""
    room, held, highest = Room(100), 0, 0
    chance = random.Random(7)  # noqa: S311 - no secret

    async def use(size: int) -> None:
        nonlocal held, highest
        async with room.hold(size, 30):
            held += size
            highest = max(highest, held)
            await asyncio.sleep(chance.random() / 500)
            held -= size

    tasks = [asyncio.create_task(use(chance.randint(1, 60))) for _ in range(300)]
    await asyncio.sleep(0.01)
    for task in chance.sample(tasks, 60):
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    cancelled_inside = [error for error in done if error is not None]
    assert all(isinstance(error, asyncio.CancelledError) for error in cancelled_inside)
    assert 60 < highest <= 100 + 60 * len(cancelled_inside)
    async with room.hold(100, 0.01):
        pass


async def test_waiting_ends() -> None:
    """A wait that takes too long ends with its own error, and those behind it still get their turn."""
    room = Room(10)

    async def take(size: int, timeout_s: float) -> str:
        async with room.hold(size, timeout_s):
            return "in"

    async with room.hold(8, 1):
        large = asyncio.create_task(take(5, 0.05))
        await asyncio.sleep(0)
        small = asyncio.create_task(take(2, 5))
        with pytest.raises(NoRoomError):
            await large
        assert await small == "in"


async def test_one_holder_never_has_it_all() -> None:
    """Who asks for more than two thirds waits, however early; another passes; then all in turn."""
    room, log, release = Room(12), list[str](), asyncio.Event()

    async def hold_as(holder: str, amount: int) -> None:
        async with room.hold(amount, holder=holder):
            log.append(holder)
            await release.wait()

    async with asyncio.TaskGroup() as group:
        for holder, amount in (("ann", 4), ("ann", 4), ("ann", 4), ("ann", 1), ("bob", 4)):
            group.create_task(hold_as(holder, amount))
        for _ in range(5):
            await asyncio.sleep(0)
        assert log == ["ann", "ann", "bob"]
        release.set()
    assert log == ["ann", "ann", "bob", "ann", "ann"]


async def test_what_is_larger_than_a_share_is_held_by_who_holds_nothing() -> None:
    """A share is no limit of one request: alone it may take the whole room."""
    room = Room(12)
    async with room.hold(12, 1, holder="ann"):
        with pytest.raises(NoRoomError):
            async with room.hold(1, 0.01, holder="bob"):
                pass
    async with room.hold(12, 1, holder="bob"):
        pass
