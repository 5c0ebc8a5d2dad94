"""Small services under supervision: started, watched, stopped in order, started again."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from dam.local.processes import ProcessDiedError
from dam.local.supervision import Supervisor
from tests.local.children import STUBBORN, child

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dam.local.processes import Command

DEADLINE_S = 30.0


async def until(condition: Callable[[], bool]) -> None:
    """Return when it holds; it is other processes that make it so."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - no event of ours tells
            await asyncio.sleep(0.02)


class Run:
    """A supervisor at work, and what was told and noted."""

    def __init__(self, folder: Path, *commands: Command, pause_s: float | None = None) -> None:
        self.notes = folder / "notes"
        self.told: list[str] = []
        self.stop = asyncio.Event()
        self.supervisor = Supervisor(
            commands, folder, lambda name, told: self.told.append(f"{name}: {told}"), first_pause_s=pause_s
        )
        self.is_ready = asyncio.Event()
        self.task = asyncio.create_task(self.supervisor.run(self.stop, self.is_ready.set))

    def lines(self) -> list[str]:
        """What the services have noted."""
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    async def wait_for(self, line: str, count: int = 1) -> None:
        """Return when a service has noted this so often."""
        await until(lambda: self.lines().count(line) >= count)

    async def end(self) -> None:
        """Ask for a stop, and wait for it."""
        self.stop.set()
        async with asyncio.timeout(DEADLINE_S):
            await self.task


async def test_all_are_stopped_in_reverse_order(tmp_path: Path) -> None:
    """Whoever came last goes first, one after the other."""
    names = ("a", "b", "c")
    run = Run(tmp_path, *(child(name, tmp_path / "notes") for name in names))
    for name in names:
        await run.wait_for(f"{name} started")
    await asyncio.wait_for(run.is_ready.wait(), DEADLINE_S)
    await run.end()
    assert run.lines()[3:] == ["c stopped", "b stopped", "a stopped"]


async def test_one_that_dies_ends_all(tmp_path: Path) -> None:
    """It is told which and how; the others are stopped in good order."""
    notes = tmp_path / "notes"
    go = tmp_path / "go"
    body = f"""
    while not os.path.exists({str(go)!r}): time.sleep(0.02)
    print("the reason why"); sys.exit(3)
    """
    run = Run(tmp_path, child("a", notes), child("b", notes, body))
    await run.wait_for("a started")
    go.touch()
    with pytest.raises(ProcessDiedError, match=r"'b' ended with status 3[^~]*the reason why") as raised:
        await asyncio.wait_for(run.task, DEADLINE_S)
    assert raised.value.headline == "The service 'b' ended with status 3."
    assert run.lines()[-1] == "a stopped"


async def test_one_that_is_killed_is_told_by_its_signal(tmp_path: Path) -> None:
    """Out of memory looks like this."""
    run = Run(tmp_path, child("a", tmp_path / "notes", "os.kill(os.getpid(), signal.SIGKILL)"))
    with pytest.raises(ProcessDiedError, match="'a' was ended by SIGKILL"):
        await asyncio.wait_for(run.task, DEADLINE_S)


async def test_one_that_dies_is_started_again_after_growing_pauses(tmp_path: Path) -> None:
    """The others run on meanwhile; each pause is twice the one before."""
    notes = tmp_path / "notes"
    run = Run(tmp_path, child("a", notes), child("b", notes, "sys.exit(1)"), pause_s=0.05)
    await run.wait_for("b started", 4)
    await run.end()
    assert [told.partition("again in ")[2] for told in run.told[:3]] == ["0.05 s.", "0.1 s.", "0.2 s."]
    assert all(told.startswith("b: The service 'b' ended with status 1.") for told in run.told)
    assert run.lines().count("a started") == 1
    assert run.lines()[-1] == "a stopped"


async def test_a_stop_comes_through_a_pause(tmp_path: Path) -> None:
    """Nobody waits for a service that is to be started again in a minute."""
    run = Run(tmp_path, child("a", tmp_path / "notes", "sys.exit(1)"), pause_s=60)
    await until(lambda: bool(run.told))
    await run.end()
    assert run.lines() == ["a started"]


async def test_one_that_will_not_stop_can_be_killed(tmp_path: Path) -> None:
    """A second Ctrl-C does not wait for it."""
    run = Run(tmp_path, child("a", tmp_path / "notes", f"note('deaf'); {STUBBORN}"))
    await run.wait_for("a deaf")
    pid = run.supervisor._minds[0].child.pid  # type: ignore[union-attr]  # it has started
    run.stop.set()
    run.supervisor.kill()
    await asyncio.wait_for(run.task, DEADLINE_S)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


async def test_ready_is_told_when_all_are(tmp_path: Path) -> None:
    """One that does not answer yet holds the announcement back, and nothing else."""
    slow = child("slow", tmp_path / "notes")
    slow = type(slow)(slow.name, slow.argv, {}, "http://127.0.0.1:9/readyz")
    run = Run(tmp_path, child("a", tmp_path / "notes"), slow)
    await run.wait_for("slow started")
    await run.wait_for("a started")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run.is_ready.wait(), 0.5)
    await run.end()
    assert sorted(run.lines()[2:]) == ["a stopped", "slow stopped"]
