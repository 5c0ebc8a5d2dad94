"""The catalogue: its version, the age of its last commit, and its assets by status. Makes none.

Counting reads every row's id and status: it goes on beside the looks, and never takes more than a small
share of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, get_args

from dam.status.readings import Reading, State, tell_age
from dam.store.delta import delta_location
from dam.threads import run_apart

if TYPE_CHECKING:
    from dam.catalogue.storage import TableHandle
    from dam.status.settings import StatusSettings

_MOST_COMMITS: Final = 50
_REST: Final = 10
"""After a count, as many times its own duration pass before the next."""
_PATIENCE: Final = 0.5
"""Share of the time limit that a look waits for a count, or for a first look."""


class CatalogueLook:
    """One handle for looking and, for each count, another: a handle belongs to one thread."""

    def __init__(self, settings: StatusSettings) -> None:
        self._settings = settings
        self._patience_s = settings.status_timeout_s * _PATIENCE
        self._handle: TableHandle | None = None
        self._version: int | None = None
        self._seen = asyncio.Event()
        self._commits: dict[int, float] = {}
        self._counting: asyncio.Task[dict[str, int]] | None = None
        self._counted: tuple[int, dict[str, int]] | None = None
        self._began, self._aim = 0.0, 0
        self._next_count_at = 0.0

    async def look(self) -> Reading:
        """Version, age and counts. Raises `CatalogueUnavailableError`, `SettingsError`."""
        version = await run_apart(self._refresh)
        if version is None:
            return Reading(State.NOT_READY, "There is none yet; the orchestrator makes it.")
        self._version = version
        self._seen.set()
        await self._count(version)
        counted, assets = self._counted or (None, None)
        at = self._commits.get(version)
        age = None if at is None else round(max(0.0, time.time() - at), 1)
        facts = {"version": version, "assets": assets, "counted_at": counted, "last_commit_age_s": age}
        since = "" if age is None else f", last commit {tell_age(age)} ago"
        return Reading(State.READY, f"Version {version}{since}; {_tell(assets, counted, version)}.", facts)

    async def measure_lag(self, version: int) -> tuple[int | None, float | None]:
        """Versions after this one, and seconds since the first of them; None for what is not known."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._seen.wait()
        except TimeoutError:
            return None, None
        lag = max(0, (self._version or 0) - version)
        at = self._commits.get(version + 1) if lag else None
        return lag, None if at is None else round(max(0.0, time.time() - at), 1)

    def _refresh(self) -> int | None:
        """The newest version, with its commits' times; None where there is no table. Blocking."""
        from dam.catalogue.storage import TableHandle  # noqa: PLC0415 - an ingest machine has no pyarrow

        handle, self._handle = self._handle, None  # one that fails is opened anew next time
        if handle is None:
            self._commits.clear()
            handle = TableHandle.find(*delta_location(self._settings))
            if handle is None:
                return None
        version = handle.refresh()
        known = max(self._commits, default=version - 1)
        for commit in handle.list_commits(max(known, version - _MOST_COMMITS)):
            if "timestamp" in commit and "version" in commit:
                self._commits[int(commit["version"])] = commit["timestamp"] / 1000
        for old in sorted(self._commits)[:-_MOST_COMMITS]:
            del self._commits[old]
        self._handle = handle
        return version

    async def _count(self, version: int) -> None:
        """Bring `_counted` up to this version where that can be had soon; a count goes on beside us."""
        if self._counting is None:
            is_known = self._counted is not None and self._counted[0] == version
            if is_known or time.monotonic() < self._next_count_at:
                return
            self._counting = asyncio.create_task(run_apart(lambda: _count_assets(self._settings, version)))
            self._began, self._aim = time.monotonic(), version
        done, _ = await asyncio.wait([self._counting], timeout=self._patience_s)
        if done:
            task, self._counting = self._counting, None
            now = time.monotonic()
            self._next_count_at = now + _REST * (now - self._began)
            self._counted = self._aim, task.result()


def _tell(assets: dict[str, int] | None, counted: int | None, version: int) -> str:
    if assets is None:
        return "its assets are still being counted"
    told = ", ".join(f"{count:,} {status}" for status, count in assets.items()) or "no assets"
    return told if counted == version else f"{told} (at version {counted})"


def _count_assets(settings: StatusSettings, version: int) -> dict[str, int]:
    """Assets by the status of their newest row, as of this version; purged ones are none. Blocking."""
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    from dam.catalogue.row import PURGED, Status  # noqa: PLC0415 - as above
    from dam.catalogue.storage import TableHandle  # noqa: PLC0415 - as above
    from dam.maintenance.runs import sort_newest  # noqa: PLC0415 - as above

    handle = TableHandle.find(*delta_location(settings), version)
    if handle is None:
        return {}
    rows = handle.scan(["id", "revision", "status", "event"]).read_all()
    newest = sort_newest(rows)
    live = newest.filter(pc.not_equal(newest["event"], PURGED))
    counts = Counter(live["status"].to_pylist())
    return {status: counts[status] for status in get_args(Status) if counts[status]}
