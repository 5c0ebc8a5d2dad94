"""Runs a blocking call beside the event loop, in a thread that nobody waits for at the end.

The pool's threads would: a mount or a library that never answers would keep the command from ending. Called
by `dam doctor` and `dam status`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


async def run_apart(function: Callable[[], _T]) -> _T:
    """Its result, or what it raises; a caller that is cancelled leaves it behind."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_T] = loop.create_future()

    def settle(result: _T | None, error: Exception | None) -> None:
        if answer.done():  # the caller has given up
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # without an error it is a result

    def work() -> None:
        result, failure = None, None
        try:
            result = function()
        except Exception as error:  # noqa: BLE001 - it is the caller's
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, daemon=True, name="apart").start()
    return await answer
