"""What lies in the bucket beside the catalogue: whether it answers, the search index, maintenance's lease."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from dam import keys
from dam.errors import ObjectNotFoundError
from dam.maintenance.lease import LeaseRecord
from dam.search.state import read_state
from dam.status.readings import Reading, State, tell_age

if TYPE_CHECKING:
    from dam.status.catalogue import CatalogueLook
    from dam.status.sources import Sources
    from dam.store.port import ObjectInfo, ObjectStore

_NO_BUCKET: Final = Reading(State.NOT_READY, "There is no bucket yet; the first service makes it.")


async def look_at_bucket(sources: Sources) -> Reading:
    """Whether it answers, and how soon."""
    store = await sources.find_store()
    if store is None:
        return _NO_BUCKET
    began = time.perf_counter()
    await store.ping()
    latency = round((time.perf_counter() - began) * 1000, 1)
    return Reading(State.READY, store.url, {"url": store.url, "latency_ms": latency})


async def look_at_index(sources: Sources, catalogue: CatalogueLook) -> Reading:
    """How far it has got."""
    store = await sources.find_store()
    if store is None:
        return _NO_BUCKET
    state, etag = await read_state(store)
    if state is None:
        told = "It is being rebuilt." if etag else "There is none yet; maintenance makes it."
        return Reading(State.NOT_READY, told)
    lag, lag_s = await catalogue.measure_lag(state.version)
    age = (datetime.now(UTC) - state.updated_at).total_seconds()
    facts = {
        "version": state.version,
        "rows": state.rows,
        "model": state.model,
        "lag": lag,
        "lag_s": lag_s,
        "updated_age_s": round(age, 1),
    }
    told = f"Version {state.version} with {state.rows:,} rows, {_tell_lag(lag, lag_s)}."
    return Reading(State.READY, told, facts)


def _tell_lag(lag: int | None, lag_s: float | None) -> str:
    if lag is None:
        return "how far behind is not known: the catalogue does not answer"
    if lag <= 0:
        return "up to date"
    since = f" since {tell_age(lag_s)}" if lag_s is not None else ""
    return f"{lag:,} {'commit' if lag == 1 else 'commits'} behind{since}"


class MaintenanceLook:
    """Remembers the lease that it saw: one renewed before our eyes is held, whatever clocks say."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._etag: str | None = None
        self._renewed_at = float("-inf")

    async def look(self) -> Reading:
        """Who holds the lease, and when the last snapshot was published."""
        store = await self._sources.find_store()
        if store is None:
            return _NO_BUCKET
        snapshot = await _find_age(store)
        run = f" Last snapshot {tell_age(snapshot)} ago." if snapshot is not None else " No snapshot yet."
        facts: dict[str, Any] = {"held": False, "last_snapshot_age_s": snapshot}
        try:
            found = await store.get(keys.MAINTENANCE_LEASE)
        except ObjectNotFoundError:
            return Reading(State.DOWN, f"Nobody has held the lease yet: start `dam maintain`.{run}", facts)
        try:
            record = LeaseRecord.model_validate_json(found.data)
        except ValidationError:
            return Reading(State.DOWN, f"The lease cannot be read; `dam maintain` replaces it.{run}", facts)
        return self._judge(record, found.info, run, facts)

    def _judge(self, record: LeaseRecord, info: ObjectInfo, run: str, facts: dict[str, Any]) -> Reading:
        age = self._measure_age(info)
        is_held = record.state == "held" and age <= record.duration_s
        facts |= {"held": is_held, "host": record.host, "holder": record.holder, "age_s": round(age, 1)}
        host = record.host or "somebody"
        if is_held:
            return Reading(State.READY, f"Held by {host}, renewed {tell_age(age)} ago.{run}", facts)
        if record.state == "released":
            told = f"Nobody holds the lease: {host} gave it back {tell_age(age)} ago."
        else:
            told = f"Nobody holds the lease: {host} has not renewed it for {tell_age(age)}."
        return Reading(State.DOWN, f"{told}{run}", facts)

    def _measure_age(self, info: ObjectInfo) -> float:
        """Seconds since it was written: by the bucket's clock and ours, or by ours alone where we saw it."""
        now = time.monotonic()
        if self._etag is not None and self._etag != info.etag:
            self._renewed_at = now
        self._etag = info.etag
        return min(_age(info), now - self._renewed_at)


async def _find_age(store: ObjectStore) -> float | None:
    """Of the published snapshot."""
    try:
        return round(_age(await store.head(keys.SNAPSHOT)), 1)
    except ObjectNotFoundError:
        return None


def _age(info: ObjectInfo) -> float:
    return max(0.0, (datetime.now(UTC) - info.last_modified).total_seconds())
