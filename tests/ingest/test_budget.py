"""The memory budget of bodies being received."""

from __future__ import annotations

import asyncio
import random

import pytest

from ingest_api.budget import MemoryBudget, OutOfBudgetError


async def test_never_more_than_the_total() -> None:
    """However many ask and give up, what is held never exceeds the total, and all is given back."""
    budget, held, highest = MemoryBudget(100), 0, 0
    chance = random.Random(7)  # noqa: S311 - no secret

    async def use(size: int) -> None:
        nonlocal held, highest
        async with budget.hold(size, 30):
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
    async with budget.hold(100, 0.01):
        pass


async def test_first_come_first_served() -> None:
    """A large request is not passed over by small ones that came after it."""
    budget, order = MemoryBudget(10), []

    async def use(name: str, size: int) -> None:
        async with budget.hold(size, 5):
            order.append(name)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for name, size in (("first", 6), ("large", 10), ("small", 1)):
            group.create_task(use(name, size))
            await asyncio.sleep(0)
    assert order == ["first", "large", "small"]


async def test_more_than_everything_gets_everything() -> None:
    """A body larger than the whole budget is let in alone."""
    budget = MemoryBudget(10)
    async with budget.hold(1000, 1):
        with pytest.raises(OutOfBudgetError):
            async with budget.hold(1, 0.01):
                pass


async def test_waiting_ends() -> None:
    """A wait that takes too long ends with its own error, and those behind it still get their turn."""
    budget = MemoryBudget(10)

    async def take(size: int, timeout_s: float) -> str:
        async with budget.hold(size, timeout_s):
            return "in"

    async with budget.hold(8, 1):
        large = asyncio.create_task(take(5, 0.05))
        await asyncio.sleep(0)
        small = asyncio.create_task(take(2, 5))
        with pytest.raises(OutOfBudgetError):
            await large
        assert await small == "in"
