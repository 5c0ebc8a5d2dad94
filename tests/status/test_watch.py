"""Looks that hang, fail or recover, and what is shown meanwhile."""

from __future__ import annotations

import asyncio
import io
import json

from rich.console import Console

from dam.errors import QueueUnavailableError
from dam.status import Reading, State, Watch
from dam.status.showing import make_report, make_table

WELL = Reading(State.READY, "It is well.")
DEADLINE_S = 0.3


async def look_well() -> Reading:
    return WELL


async def hang() -> Reading:
    await asyncio.sleep(600)
    return WELL


async def fall_over() -> Reading:
    raise ZeroDivisionError("by hunter2\n\x1b[31mred\x1b[0m \x07")


async def refuse() -> Reading:
    raise QueueUnavailableError("The queue is closed.")


async def miss() -> Reading:
    raise ModuleNotFoundError("No module", name="pyarrow")


async def test_each_ends_in_a_sentence() -> None:
    """On one line, without a secret, without anything that moves the cursor."""
    parts = {"a": look_well, "b": hang, "c": fall_over, "d": refuse, "e": miss}
    watch = Watch(parts, DEADLINE_S, ["hunter2"])
    await watch.look()
    told = {name: (reading.state.value, reading.told) for name, reading in watch.readings().items()}
    assert told == {
        "a": ("ready", "It is well."),
        "b": ("down", "No answer within 0.3 s."),
        "c": ("down", "It could not be looked at: ZeroDivisionError: by … red "),
        "d": ("down", "The queue is closed."),
        "e": ("unknown", "Not looked at: pyarrow is not installed here."),
    }
    assert not watch.is_well()


async def test_what_is_not_installed_is_no_fault() -> None:
    """An image carries only what it runs."""
    watch = Watch({"a": look_well, "e": miss}, DEADLINE_S)
    await watch.look()
    assert watch.is_well()


async def test_facts_hold_no_secret() -> None:
    """They are for programs, which write them into logs."""

    async def tell() -> Reading:
        return Reading(State.READY, "x", {"url": "http://me:hunter2@host", "count": 3})

    watch = Watch({"a": tell}, DEADLINE_S, ["hunter2"])
    await watch.look()
    assert watch.readings()["a"].facts == {"url": "http://me:…@host", "count": 3}


async def test_one_that_hangs_while_others_are_looked_at_again() -> None:
    """It is told how long it has not answered; when it does, that is seen."""
    answers = asyncio.Event()
    looks = 0

    async def wait() -> Reading:
        await answers.wait()
        return WELL

    async def count() -> Reading:
        nonlocal looks
        looks += 1
        return WELL

    watch = Watch({"a": wait, "b": count}, DEADLINE_S)
    async with watch.looking(), asyncio.timeout(30):
        assert watch.readings()["a"].told == "Looking …"
        while looks < 2:  # noqa: ASYNC110 - the watch goes round by itself
            await asyncio.sleep(0.02)
        reading = watch.readings()["a"]
        assert reading.state is State.DOWN
        assert reading.told.startswith("No answer for ")
        answers.set()
        while watch.readings()["a"] != WELL:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)


def test_a_table_fits_its_terminal() -> None:
    """At 80 columns every row is there, a long sentence below itself and cut at last."""
    readings = {
        "bento": Reading(State.READY, "http://127.0.0.1:3000", {"latency_ms": 12.3}),
        "maintenance": Reading(State.NOT_READY, "[red]word[/red] " * 100),
    }
    output = io.StringIO()
    Console(file=output, width=80).print(make_table(readings))
    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "12 ms" in lines[1]
    assert "[red]word[/red]" in lines[2]
    assert "…" in lines[-1]


def test_a_report_is_one_object() -> None:
    """Services below `services`, the other parts beside them."""
    readings = {"bento": Reading(State.READY, "x", {"latency_ms": 1.5}), "queue": WELL}
    report = json.loads(json.dumps(make_report(readings, is_well=True)))
    assert report["well"] is True
    assert report["services"] == {"bento": {"state": "ready", "told": "x", "latency_ms": 1.5}}
    assert report["queue"] == {"state": "ready", "told": "It is well."}
