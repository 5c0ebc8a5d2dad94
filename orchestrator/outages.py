"""The gate before the intake: shut while something that every job needs is down, and opened by itself.

`settling` shuts it, `consuming` waits for it. It must never touch a delivery.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from dam.errors import DamError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = structlog.get_logger()

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 5.0


class Gate:
    """Shut at first: a start waits for what it needs. `probe` raises a `DamError` while that is down."""

    def __init__(
        self,
        probe: Callable[[], Awaitable[None]],
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self._probe = probe
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._pause_s = 0.0
        self._shut = asyncio.Event()
        self._shut.set()
        self.reason = "starting"
        """Why it is shut, for people; empty while it is open."""

    @property
    def is_open(self) -> bool:
        """Whether jobs may be taken."""
        return not self._shut.is_set()

    def shut(self, reason: str) -> None:
        """Stop the intake; each outage in a row waits longer than the last."""
        if not self.is_open:
            return
        self._pause_s = min(max(2 * self._pause_s, self._first_pause_s), self._longest_pause_s)
        self.reason = reason
        self._shut.set()
        _log.warning("intake.paused", reason=reason, pause_s=self._pause_s)

    def confirm(self) -> None:
        """A job went through: the next outage is a new one."""
        self._pause_s = 0.0

    async def wait_shut(self) -> None:
        """Return when it is shut."""
        await self._shut.wait()

    async def reopen(self) -> None:
        """Wait until the probe succeeds, then open. Its pauses grow."""
        while not self.is_open:
            await asyncio.sleep(self._pause_s)
            try:
                await self._probe()
            except DamError as error:
                self._pause_s = min(max(2 * self._pause_s, self._first_pause_s), self._longest_pause_s)
                if str(error) != self.reason:
                    self.reason = str(error)
                    _log.warning("intake.waiting", reason=self.reason)
            else:
                self.reason = ""
                self._shut.clear()
                _log.info("intake.opened")
