"""Waiting that a stop can end: pauses, and tries that go on until an outage is over.

Used by `running` and `duties`. Wrong settings are never waited out.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from dam.errors import DamError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

log = structlog.get_logger()

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 30.0


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Wait so long, or until `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def try_once(what: str, action: Callable[[], Awaitable[None]]) -> bool:
    """Whether the action worked; where it did not, the log says why."""
    try:
        await action()
    except SettingsError:
        raise
    except DamError as error:
        log.warning("maintenance.failed", what=what, reason=str(error))
        return False
    return True


async def try_until_it_works(what: str, action: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T | None:
    """The action's result, tried again after growing pauses while it fails; None once `stop` is set."""
    failures = 0
    while not stop.is_set():
        try:
            return await action()
        except SettingsError:
            raise
        except DamError as error:
            log.warning("maintenance.failed", what=what, reason=str(error))
        failures += 1
        await pause(backoff_s(failures), stop)
    return None


def backoff_s(failures: int) -> float:
    """How long to wait after so many failures in a row: longer each time, never just as long as others."""
    longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(failures, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret


async def finish_before(stop: asyncio.Event, coroutine: Coroutine[Any, Any, None]) -> bool:
    """Run it, cancelled when `stop` is set first; whether it came to its end."""
    running = asyncio.create_task(coroutine)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        return running.done()
    finally:
        for task in (running, stopping):
            task.cancel()
        await asyncio.wait([running, stopping])
