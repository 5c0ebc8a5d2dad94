"""The lease: one holder at a time, whatever the clocks say and the store does."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.maintenance.lease import Lease, LeaseLostError
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from dam.store.port import ObjectStore

SHORT_S = 0.5


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Its time."""
        return self.now


async def is_acquired(lease: Lease, within_s: float) -> bool:
    """Whether the lease can be had in so short a time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await lease.acquire()
            return True
    return False


async def test_one_of_many_gets_it(either_store: ObjectStore) -> None:
    """Of eight that ask at the same moment, exactly one gets the lease."""
    leases = [Lease(either_store, 30) for _ in range(8)]
    tasks = [asyncio.create_task(lease.acquire()) for lease in leases]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    late, waiting = await asyncio.wait(waiting, timeout=0.5)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert len(done) + len(late) == 1
    assert len(waiting) == 7


async def test_a_release_lets_the_next_begin_at_once(either_store: ObjectStore) -> None:
    """A waiter need not wait for the expiry of a lease that was released."""
    first, second = Lease(either_store, 30), Lease(either_store, 30)
    await first.acquire()
    assert not await is_acquired(second, 0.3)
    await first.release()
    assert await is_acquired(second, 5)


async def test_a_dead_holder_is_replaced_once_its_lease_has_expired(either_store: ObjectStore) -> None:
    """A waiter takes over when it has seen no renewal for the duration, and not before."""
    await Lease(either_store, SHORT_S * 2).acquire()
    loop = asyncio.get_running_loop()
    started = loop.time()
    heir = Lease(either_store, SHORT_S)
    assert await is_acquired(heir, 10)
    assert loop.time() - started >= SHORT_S * 2  # the holder's own duration counts


async def test_a_renewed_lease_is_never_taken(either_store: ObjectStore) -> None:
    """A holder that renews keeps it, however long others wait."""
    holder, waiter = Lease(either_store, SHORT_S * 2), Lease(either_store, SHORT_S * 2)
    await holder.acquire()
    keeping = asyncio.create_task(holder.keep())
    assert not await is_acquired(waiter, SHORT_S * 6)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.wait([keeping])


async def test_a_holder_that_was_replaced_learns_of_it(either_store: ObjectStore) -> None:
    """One that slept through its expiry is told at its next renewal, and harms nobody."""
    sleeper, heir = Lease(either_store, SHORT_S), Lease(either_store, SHORT_S)
    await sleeper.acquire()
    assert await is_acquired(heir, 10)
    with pytest.raises(LeaseLostError):
        await asyncio.wait_for(sleeper.keep(), 5)
    await sleeper.release()
    record = json.loads((await either_store.get(keys.MAINTENANCE_LEASE)).data)
    assert record["state"] == "held"


async def test_expiry_is_judged_by_the_waiters_own_clock() -> None:
    """A waiter whose clock has run for long, but that has only now looked, does not take a lease over."""
    store, clock = MemoryStore(), Clock()
    await Lease(store, SHORT_S).acquire()
    clock.now += 10_000
    waiter = asyncio.create_task(Lease(store, SHORT_S, clock=clock).acquire())
    await asyncio.sleep(SHORT_S / 20)
    assert not waiter.done()
    clock.now += 0.9 * SHORT_S
    assert not (await asyncio.wait([waiter], timeout=SHORT_S / 2))[0]
    clock.now += 0.2 * SHORT_S
    await asyncio.wait_for(waiter, 5)


async def test_an_outage_ends_the_lease_before_anyone_can_take_it() -> None:
    """A holder that cannot renew stops within its duration."""
    store = MemoryStore()
    lease = Lease(store, 1)
    await lease.acquire()
    started = asyncio.get_running_loop().time()
    store.down = "The bucket is down."
    with pytest.raises(LeaseLostError):
        await asyncio.wait_for(lease.keep(), 5)
    assert asyncio.get_running_loop().time() - started < 1


async def test_a_short_outage_costs_nothing() -> None:
    """A renewal that fails is tried again while the lease lasts."""
    store = MemoryStore()
    lease = Lease(store, 1)
    await lease.acquire()
    keeping = asyncio.create_task(lease.keep())
    store.down = "The bucket is down."
    await asyncio.sleep(0.5)
    store.down = None
    assert not (await asyncio.wait([keeping], timeout=1))[0]
    keeping.cancel()


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_lost_answer_is_read_back(lost: str) -> None:
    """Whether or not a put whose answer was lost had happened, its writer ends up holding the lease."""
    store = MemoryStore()
    store.lost_puts.append(lost)
    lease = Lease(store, 1)
    await asyncio.wait_for(lease.acquire(), 5)
    store.lost_puts.append(lost)
    keeping = asyncio.create_task(lease.keep())
    assert not (await asyncio.wait([keeping], timeout=1.5))[0]
    keeping.cancel()
    assert not await is_acquired(Lease(store, 1), 0.1)


async def test_an_unreadable_lease_expires_too() -> None:
    """Whatever else lies at the key is treated as somebody's lease of our own duration."""
    store = MemoryStore()
    await store.put(keys.MAINTENANCE_LEASE, b"no JSON")
    lease = Lease(store, SHORT_S)
    assert not await is_acquired(lease, SHORT_S / 2)
    assert await is_acquired(lease, 5)
