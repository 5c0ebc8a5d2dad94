"""The job queue: how many jobs wait, are worked on, wait out a delay, or were given up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx

from dam import routes
from dam.status.readings import Reading, State

if TYPE_CHECKING:
    from dam.status.sources import Sources

_IN_HAND: Final = re.compile(r"^dam_orchestrator_in_flight (\S+)$", re.MULTILINE)


async def look_at_queue(sources: Sources, orchestrator: str) -> Reading:
    """Its depth. Raises `SettingsError`, `QueueUnavailableError`."""
    queue = await sources.find_queue()
    if queue is None:
        return Reading(State.NOT_READY, "There is no queue yet; the first service makes it.")
    depth = await queue.depth()
    in_flight = await _ask_orchestrator(sources.http, orchestrator) if sources.is_amqp else depth.in_flight
    facts = {
        "url": queue.url,
        "waiting": depth.ready,
        "in_flight": in_flight,
        "delayed": depth.delayed,
        "dead_letters": depth.dead,
        "parked": depth.parked,
    }
    told = (
        f"{depth.ready:,} waiting, {_tell(in_flight)} in flight, {depth.delayed:,} delayed, "
        f"{depth.dead:,} dead letters"
    )
    parked = f", {depth.parked:,} parked" if depth.parked else ""
    return Reading(State.READY, f"{told}{parked}.", facts)


async def _ask_orchestrator(client: httpx.AsyncClient, url: str) -> int | None:
    """A broker tells no one what its consumers hold; ours does. None where it does not answer."""
    try:
        answer = await client.get(url.rstrip("/") + routes.METRICS)
    except httpx.TransportError:
        return None
    found = _IN_HAND.search(answer.text) if answer.is_success else None
    try:
        return int(float(found[1])) if found else None
    except (ValueError, OverflowError):
        return None


def _tell(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
