"""What a service says when it is asked whether it is ready, as a sentence.

Whoever starts or watches services calls this. It asks and judges; it starts, stops and retries nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx


async def find_hindrance(client: httpx.AsyncClient, url: str) -> str | None:
    """Why it is not ready; None where it is."""
    try:
        answer = await client.get(url)
    except httpx.TransportError as error:
        return describe_failure(error)
    return None if answer.is_success else describe_answer(answer)


def describe_failure(error: httpx.TransportError) -> str:
    """Why there was no answer."""
    match error:
        case httpx.ConnectTimeout() | httpx.ReadTimeout():
            return "it does not answer in time"
        case httpx.ConnectError():
            return "nothing answers there"
        case _:
            return str(error) or type(error).__name__


def describe_answer(answer: httpx.Response) -> str:
    """What a service names as the reason: each of ours has its own form."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    reasons = _find_reasons(body) if isinstance(body, dict) else ""
    if reasons:
        return reasons
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return "it is still starting, or waits for something"
    return f"it answers with status {answer.status_code}, not as our service does"


def _find_reasons(body: dict[str, Any]) -> str:
    dependencies = body.get("dependencies")
    if isinstance(dependencies, dict):
        down = [f"{name} {state}" for name, state in dependencies.items() if state != "up"]
        return "; ".join(down)
    return str(body.get("reason") or body.get("detail") or "")
