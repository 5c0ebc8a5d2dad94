"""The Delta table's own objects: whether every version that is still kept can be read.

It reads the log itself and lists the files: opening each version would take hours. A file that a vacuum was
allowed to remove is not missed: versions that need it are not kept any more. It must never write.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import pyarrow as pa

from dam import keys
from dam.catalogue.storage import TableHandle
from dam.errors import CatalogueUnavailableError, ObjectNotFoundError
from dam.store.delta import delta_location
from dam.verify.findings import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker
    from dam.store.port import ObjectStore

_ROOT: Final = f"{keys.TABLE}/"
_LOG: Final = f"{keys.TABLE}/_delta_log/"
_COMMIT: Final = re.compile(r"(\d{20})\.json")
_CHECKPOINT: Final = re.compile(r"(\d{20})\.checkpoint(\.\d{10}\.\d{10})?\.parquet")
_READ_AT_ONCE: Final = 16
_SLACK_MS: Final = 60_000
"""Between the clocks of those who drop a file and those who vacuum."""


@dataclass(slots=True)
class _Bad:
    """A file that is missing, or has another size than its version says."""

    size: int
    found: int | None
    since: int
    dropped_in: int | None = None
    dropped_at: int = 0


@dataclass(slots=True)
class _Walk:
    """The state of one walk through the log."""

    files: dict[str, int]
    bad: dict[str, _Bad] = field(default_factory=dict)
    vacuums: list[tuple[int, int]] = field(default_factory=list)
    """Version, and what was dropped up to when (ms) may be gone by it."""

    def add(self, path: str, size: int, version: int) -> None:
        found = self.files.get(path)
        if found != size:
            self.bad[path] = _Bad(size, found, version)

    def apply(self, action: dict[str, Any], version: int) -> None:
        """One line of a commit."""
        if added := action.get("add"):
            self.add(unquote(added["path"]), added["size"], version)
        elif dropped := action.get("remove"):
            bad = self.bad.get(unquote(dropped["path"]))
            if bad:
                bad.dropped_in, bad.dropped_at = version, dropped.get("deletionTimestamp") or 0
        elif (info := action.get("commitInfo")) and info.get("operation") == "VACUUM START":
            said = info.get("operationParameters", {})
            kept_ms = int(said.get("specifiedRetentionMillis") or said.get("defaultRetentionMillis") or 0)
            self.vacuums.append((version, int(info["timestamp"]) - kept_ms))

    def is_excused(self, bad: _Bad) -> bool:
        """Whether a vacuum was allowed to remove it."""
        dropped_in = bad.dropped_in
        return dropped_in is not None and any(
            version > dropped_in and bad.dropped_at <= until + _SLACK_MS for version, until in self.vacuums
        )

    def findings(self) -> Iterator[Finding]:
        for path, bad in self.bad.items():
            if not self.is_excused(bad):
                yield _describe(path, bad)


class TableFiles:
    """Checks one table."""

    def __init__(self, store: ObjectStore, settings: MaintenanceSettings, worker: Worker) -> None:
        self._store = store
        self._settings = settings
        self._worker = worker
        self.is_readable = True
        """Whether the last check found every file of the newest version whole."""
        self.has_cut_files = False
        """Whether a file of any version has another length than its version says.

        The table's library asks S3 for what lies past its end, and takes the process down with it.
        """

    async def check(self) -> list[Finding]:
        """What is wrong with the log, and with the files of every version that it reaches back to.

        Raises:
            StoreUnavailableError: the bucket does not answer.
        """
        # The log first: files of a commit are there before it is.
        commits, checkpoints = await self._list_log()
        found = await self._list_files()
        if not commits and not checkpoints:
            return [_gap("The table has no log.", _LOG)] if found else []
        base, first = self._find_base(commits, checkpoints)
        wrong = list(_find_gaps(commits, first))
        walk = _Walk(found)
        if base is not None:
            wrong += await self._read_checkpoint(base, walk)
        last = max(commits, default=first)
        for at in range(first, last + 1, _READ_AT_ONCE):
            wanted = [
                version for version in range(at, min(at + _READ_AT_ONCE, last + 1)) if version in commits
            ]
            bodies = await asyncio.gather(*(self._read(commits[version]) for version in wanted))
            for version, body in zip(wanted, bodies, strict=True):
                wrong += _apply(body, version, walk, commits[version])
        missed = [bad for bad in walk.bad.values() if not walk.is_excused(bad)]
        self.is_readable = all(bad.dropped_in is not None for bad in missed)
        self.has_cut_files = any(bad.found is not None for bad in missed)
        return [*wrong, *walk.findings()]

    def _find_base(self, commits: dict[int, str], checkpoints: set[int]) -> tuple[int | None, int]:
        """The checkpoint to begin with (None: the very first commit), and the first commit after it."""
        if 0 in commits or not checkpoints:
            return None, 0
        return min(checkpoints), min(checkpoints) + 1

    async def _list_log(self) -> tuple[dict[int, str], set[int]]:
        commits, checkpoints = {}, set()
        async for item in self._store.list(_LOG):
            name = item.key.removeprefix(_LOG)
            if match := _COMMIT.fullmatch(name):
                commits[int(match[1])] = item.key
            elif match := _CHECKPOINT.fullmatch(name):
                checkpoints.add(int(match[1]))
        return commits, checkpoints

    async def _list_files(self) -> dict[str, int]:
        return {
            item.key.removeprefix(_ROOT): item.size
            async for item in self._store.list(_ROOT)
            if item.key.endswith(".parquet") and not item.key.startswith((_LOG, keys.TABLE_CHANGES))
        }

    async def _read_checkpoint(self, version: int, walk: _Walk) -> list[Finding]:
        try:
            handle = await self._worker.run(
                lambda: TableHandle.find(*delta_location(self._settings), version=version)
            )
        except CatalogueUnavailableError as error:
            await self._store.ping()
            return [_gap(f"The checkpoint of version {version} cannot be read: {error}", _LOG)]
        if handle is not None:
            actions = pa.table(handle.delta.get_add_actions(flatten=True))
            for path, size in zip(
                actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True
            ):
                walk.add(path, size, version)
        return []

    async def _read(self, key: str) -> bytes | None:
        """None where the log was tidied meanwhile."""
        try:
            return (await self._store.get(key)).data
        except ObjectNotFoundError:
            return None


def _apply(body: bytes | None, version: int, walk: _Walk, key: str) -> list[Finding]:
    try:
        for line in (body or b"").splitlines():
            if line.strip():
                walk.apply(json.loads(line), version)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [
            _gap(f"Version {version} of the table cannot be read: its log entry is damaged ({error}).", key)
        ]
    return []


def _find_gaps(commits: dict[int, str], first: int) -> Iterator[Finding]:
    expected = first
    for version in sorted(commits):
        if version > expected:
            lost = (
                f"version {expected}" if version == expected + 1 else f"versions {expected} to {version - 1}"
            )
            yield _gap(f"The log of the table lacks {lost}.", f"{_LOG}{expected:020}.json")
        expected = max(expected, version + 1)


def _gap(problem: str, key: str) -> Finding:
    remedy = (
        "It cannot be made again: put the object back from a backup or from the bucket's own versions. "
        "Versions from the next checkpoint on can be read without it."
    )
    return Finding(Kind.TABLE_LOG, key, problem, remedy)


def _describe(path: str, bad: _Bad) -> Finding:
    what = "is missing" if bad.found is None else f"has {bad.found:,} bytes instead of {bad.size:,}"
    until = "up to the newest" if bad.dropped_in is None else f"to {bad.dropped_in - 1}"
    problem = f"A file of the table {what}: versions {bad.since} {until} cannot be read."
    remedy = "Put it back from a backup or from the bucket's own versions."
    if bad.dropped_in is None:
        remedy += " Until then the rows in it are lost, and no process can read the catalogue."
    else:
        remedy += " Newer versions do not need it, and nothing is lost but the look back."
    return Finding(Kind.TABLE_FILE, f"{_ROOT}{path}", problem, remedy)
