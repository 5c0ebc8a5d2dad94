"""Room for what is large, and memory that goes back to the system."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orchestrator.memory import Room
from tests.orchestrator.process import ROOT

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


LARGE_DECODES = """
import io, sys, threading
from orchestrator import memory
if sys.argv[1] == "held back":
    memory.hold_back()
from PIL import Image
from orchestrator.deriving import derive

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

buffer = io.BytesIO()
Image.effect_noise((1000, 750), 40).resize((4000, 3000)).convert("RGB").save(buffer, "PNG", compress_level=1)
data = buffer.getvalue()
buffer.close()
memory.trim()
before = resident()
for _ in range(3):
    thread = threading.Thread(
        target=derive, args=(data,), kwargs=dict(max_pixels=10**8, with_thumbnails=True, with_rendition=True)
    )
    thread.start()
    thread.join()
print(resident() - before, *sorted({"pandas", "torch", "lancedb"} & set(sys.modules)))
import pyarrow
pyarrow.array([1])
print(*sorted({"pandas"} & set(sys.modules)))
"""


def test_memory_of_large_decodes_goes_back_to_the_system() -> None:
    """After three pictures of 48 MB in threads of their own, less than 10 MB is kept; pandas stays out."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE_DECODES, "held back"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    kept, arrow = done.stdout.splitlines()
    assert float(kept.split()[0]) < 10
    assert kept.split()[1:] == []
    assert arrow == ""
