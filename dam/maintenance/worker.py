"""One thread for blocking work, which can be told to stop between two pieces of it.

The table's library blocks, and one handle belongs to one thread at a time: each holder of a handle has its
own worker. A cancelled caller waits until its work has stopped, so that nothing goes on behind its back.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dam.errors import DamError

if TYPE_CHECKING:
    from collections.abc import Callable

_P = ParamSpec("_P")
_T = TypeVar("_T")


class StoppedError(DamError):
    """The work's caller has gone."""


class Worker:
    """Runs one function after the other."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._stopped = threading.Event()

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Its result. Cancelled, this returns when the function has: at its next `check`, or at its end."""
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._thread, partial(function, *args, **kwargs))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            self._stopped.set()
            await asyncio.wait([working])
            self._stopped.clear()
            if not working.cancelled():
                working.exception()  # looked at: nobody else will
            raise

    def check(self) -> None:
        """Called by the work itself, between its pieces. Raises `StoppedError` when it is to stop."""
        if self._stopped.is_set():
            raise StoppedError("The work was told to stop.")

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False)
