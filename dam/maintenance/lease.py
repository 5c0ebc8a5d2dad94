"""The lease: one object in the bucket that says which process maintains it, renewed with conditional puts.

`dam maintain` waits for it, holds it while it works, and releases it. Clocks are never compared: a waiter
takes over when it has seen no renewal for the lease's duration on its own monotonic clock, and a holder stops
before anyone can have seen that. Losing the lease must not harm what was begun: everything that maintenance
writes is conditional by itself, the lease only saves work from being done twice.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Final, Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from dam import keys
from dam.errors import DamError, ObjectNotFoundError, PreconditionFailedError, StoreUnavailableError
from dam.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.store.port import ObjectStore

log = structlog.get_logger()

_LOOKS: Final = 3
"""How often a waiter looks within one duration; also the holder's renewals."""
_RETRY_S: Final = 1.0
"""Between two tries of a renewal: R2 allows one write a second on one key."""
_SAFE_SHARE: Final = 0.8
"""Of its duration, how long a holder trusts a lease that it cannot renew."""


class LeaseLostError(DamError):
    """Another process maintains the bucket now, or may soon: stop."""


class LeaseRecord(BaseModel):
    """The object's body. `turn` makes every renewal differ, so that its etag does; `host` is for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    holder: str
    turn: int
    duration_s: float
    state: Literal["held", "released"] = "held"
    host: str = ""


class Lease:
    """One process's side of it: `acquire`, then `keep` beside the work, then `release`."""

    def __init__(
        self, store: ObjectStore, duration_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._duration_s = duration_s
        self._next = LeaseRecord(holder=new_id(), turn=0, duration_s=duration_s, host=socket.gethostname())
        self._etag: str | None = None
        self._renewed_at = 0.0

    @property
    def pause_s(self) -> float:
        """Between two looks, and between two renewals."""
        return self._duration_s / _LOOKS

    async def acquire(self) -> None:
        """Return once the lease is held; outages are waited out."""
        seen, since, told = None, self._clock(), ""
        while True:
            try:
                record, etag = await self._read()
                if etag != seen:
                    seen, since = etag, self._clock()
                if self._may_take(record, etag, self._clock() - since):
                    return await self._put(etag)
                reason = f"{record.host if record else 'somebody'} holds the lease"
            except PreconditionFailedError:
                reason = "somebody else was first"
            except StoreUnavailableError as error:
                reason = str(error)
            if reason != told:
                log.info("lease.waiting", reason=reason)
                told = reason
            await asyncio.sleep(self.pause_s)

    async def keep(self) -> None:
        """Renew for as long as this process holds it. Raises `LeaseLostError`; never returns."""
        while True:
            await asyncio.sleep(self.pause_s)
            try:
                async with asyncio.timeout(self._time_left()):
                    await self._renew()
            except TimeoutError as error:
                raise LeaseLostError(
                    f"The lease could not be renewed for {_SAFE_SHARE * self._duration_s:.0f} s: another "
                    "process may take over."
                ) from error

    async def release(self) -> None:
        """Let the next process begin at once; where that fails, it begins when the lease has expired."""
        self._next = self._next.model_copy(update={"state": "released"})
        try:
            async with asyncio.timeout(self._duration_s):
                await self._put(self._etag)
        except (DamError, TimeoutError) as error:
            log.info("lease.release_failed", reason=str(error) or "no answer in time")

    async def _renew(self) -> None:
        """Put the next turn. An outage is tried through until `keep` ends it; a lost answer is read back."""
        refused = False
        while True:
            try:
                if refused:
                    self._etag = await self._find_own()
                return await self._put(self._etag)
            except PreconditionFailedError:
                refused = True
            except StoreUnavailableError as error:
                log.warning("lease.renewal_failed", reason=str(error))
                await asyncio.sleep(min(_RETRY_S, self.pause_s))

    async def _find_own(self) -> str | None:
        """The etag that our record has now; None where there is no lease at all. Raises `LeaseLostError`."""
        record, etag = await self._read()
        if etag is None or (record and self._is_own(record)):
            return etag
        raise LeaseLostError(f"{record.host if record else 'Another process'} has taken the lease over.")

    def _time_left(self) -> float:
        return max(0.0, self._renewed_at + _SAFE_SHARE * self._duration_s - self._clock())

    def _is_own(self, record: LeaseRecord) -> bool:
        return record.holder == self._next.holder and record.state == "held"

    def _may_take(self, record: LeaseRecord | None, etag: str | None, unchanged_s: float) -> bool:
        """Whether it is nobody's, was released, is ours (a put whose answer was lost), or has expired."""
        if etag is None or (record and (record.state == "released" or self._is_own(record))):
            return True
        return unchanged_s >= max(self._duration_s, record.duration_s if record else 0.0)

    async def _put(self, etag: str | None) -> None:
        """Write our record where there is none (`etag` None) or over the one that was read."""
        sent = self._clock()
        self._next = self._next.model_copy(update={"turn": self._next.turn + 1})
        self._etag = await self._store.put(
            keys.MAINTENANCE_LEASE,
            self._next.model_dump_json().encode(),
            content_type="application/json",
            if_absent=etag is None,
            if_match=etag,
        )
        self._renewed_at = sent

    async def _read(self) -> tuple[LeaseRecord | None, str | None]:
        """Record and etag; (None, None) where there is none, (None, etag) where it is unreadable."""
        try:
            found = await self._store.get(keys.MAINTENANCE_LEASE)
        except ObjectNotFoundError:
            return None, None
        try:
            return LeaseRecord.model_validate_json(found.data), found.info.etag
        except ValidationError:
            return None, found.info.etag
