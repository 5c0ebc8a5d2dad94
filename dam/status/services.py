"""The services that answer over HTTP: whether each is ready, and how soon it says so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

from dam import routes
from dam.local.readiness import describe_answer, describe_failure
from dam.status.readings import Reading, State

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUERIES: Mapping[str, Mapping[str, str]] = {"gallery": {"needed": "true"}}
"""The gallery would ask everything behind it; that is looked at here."""


async def look_at_service(client: httpx.AsyncClient, name: str, url: str) -> Reading:
    """Its own word about itself."""
    began = time.perf_counter()
    try:
        answer = await client.get(url.rstrip("/") + routes.READY, params=_QUERIES.get(name))
    except httpx.TransportError as error:
        told = describe_failure(error)
        return Reading(State.DOWN, f"{url}: {told}.", {"url": url, "latency_ms": None, "reason": told})
    latency = round((time.perf_counter() - began) * 1000, 1)
    if answer.is_success:
        return Reading(State.READY, url, {"url": url, "latency_ms": latency, "reason": None})
    told = describe_answer(answer).rstrip(".")
    return Reading(State.NOT_READY, f"{url}: {told}.", {"url": url, "latency_ms": latency, "reason": told})
