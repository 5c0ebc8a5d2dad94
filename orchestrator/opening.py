"""Opens what the orchestrator needs, waiting for what is not there yet: services start in any order.

Called by `running`. A wrong setting is never waited out.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from dam.errors import CatalogueUnavailableError, QueueUnavailableError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = structlog.get_logger()

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 15.0
_NOT_YET: Final = (CatalogueUnavailableError, QueueUnavailableError, StoreUnavailableError)


async def open_patiently(what: str, opening: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T:
    """Open it as soon as it can be opened. Raises the last error where `stop` is set first."""

    def report(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _log.warning("orchestrator.waiting", waiting_for=what, reason=str(error))

    async def sleep(seconds: float) -> None:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return

    async def attempt() -> T:  # tenacity awaits what it knows to be a coroutine function, and nothing else
        return await opening()

    def is_over(_: RetryCallState) -> bool:
        return stop.is_set()

    tries = AsyncRetrying(
        retry=retry_if_exception_type(_NOT_YET),
        wait=wait_exponential_jitter(initial=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S),
        stop=is_over,
        sleep=sleep,
        before_sleep=report,
        reraise=True,
    )
    return await tries(attempt)
