"""The published snapshot, `metadata/images.parquet`: one row per live asset, for any Parquet reader.

`dam maintain` calls `step` every second or so. A new snapshot is written over the very object that it was
made from, or not at all, so that an older one can never replace a newer. Temporary files are local; what is
lost with them is only time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from dam import keys
from dam.adopt.former import NotAdoptedError, check_adopted
from dam.errors import ObjectNotFoundError, PreconditionFailedError, StoreUnavailableError
from dam.maintenance.feed import count_added
from dam.maintenance.pacing import Backlog, Published, is_due
from dam.maintenance.snapshot_build import LocalDiskError, SnapshotBuilder
from dam.maintenance.snapshot_file import Footer, SnapshotTooLargeError

if TYPE_CHECKING:
    from pathlib import Path

    from dam.catalogue.storage import TableHandle
    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker
    from dam.store.port import ObjectStore

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
_TOO_LARGE_PAUSE_S: Final = 3600.0
_NOT_ADOPTED_PAUSE_S: Final = 60.0
_TOLD_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Base:
    """What is published now and its local copy; no `etag` for nothing, no `footer` for nothing usable."""

    etag: str | None
    path: Path
    footer: Footer | None


class SnapshotPublisher:
    """Keeps the snapshot up to date; `folder` is its own, for temporary files."""

    def __init__(
        self,
        store: ObjectStore,
        handle: TableHandle,
        worker: Worker,
        folder: Path,
        settings: MaintenanceSettings,
    ) -> None:
        self._store = store
        self._handle = handle
        self._worker = worker
        self._builder = SnapshotBuilder(handle, settings, worker.check)
        self._folder = folder
        self._settings = settings
        self._base: _Base | None = None
        self._former: _Base | None = None
        self._published: Published | None = None
        self._backlog: Backlog | None = None
        self._seen = 0
        self._blocked_until = 0.0
        self._told_at = 0.0
        self._files = 0
        self.last_row_at = float("-inf")
        """When new rows were last seen, by the monotonic clock."""

    async def step(self) -> None:
        """Look at the table, and publish where that is due.

        Raises:
            CatalogueUnavailableError, StoreUnavailableError: the bucket does not answer; call again later.
            LocalDiskError: the temporary folder cannot be used.
            NotAdoptedError: the original project's table is there still; looked at again after a minute.
        """
        if self._base is None and time.monotonic() < self._blocked_until:
            return
        base = await self._look()
        now = time.monotonic()
        if self._backlog is None:
            return
        if now < self._blocked_until or not is_due(self._backlog, self._published, self._settings, now):
            self._tell_age(base, self._backlog, now)
            return
        try:
            await self._publish(base, self._backlog)
        except SnapshotTooLargeError as error:
            self._blocked_until = now + _TOO_LARGE_PAUSE_S
            log.error("snapshot.too_large", reason=str(error))  # noqa: TRY400 - foreseen, no traceback
        except PreconditionFailedError:
            self._base, self._former = None, base
            log.warning("snapshot.superseded", reason="Somebody else wrote it meanwhile; it is read again.")
        except StoreUnavailableError:
            self._base, self._former = None, base  # whether it was written is unclear: look
            raise

    async def _look(self) -> _Base:
        """Bring `_backlog` up to date with the table's newest version."""
        if self._base is None:
            base = await self._find()  # before the refresh: a table is never behind its own snapshot
            self._seen = await self._worker.run(self._handle.refresh)
            now, footer = time.monotonic(), base.footer
            self._published = Published(footer.rows, footer.size, now) if footer else None
            self._backlog = None if footer and self._builder.is_current(footer) else Backlog(None, now, now)
            self._base = base
            return base
        version = await self._worker.run(self._handle.refresh)
        if version > self._seen:
            rows = await self._worker.run(count_added, self._handle, self._seen)
            self._seen = version
            if rows:
                self._add(rows)
        return self._base

    def _add(self, rows: int) -> None:
        now = self.last_row_at = time.monotonic()
        if self._backlog is None:
            self._backlog = Backlog(rows, now, now)
        else:
            known = self._backlog.rows
            total = None if known is None else known + rows
            self._backlog = replace(self._backlog, rows=total, newest_at=now)

    async def _find(self) -> _Base:
        """What is published, fetched unless it is what we had."""
        path, former = self._new_path(), self._former
        try:
            info = await self._store.head(keys.SNAPSHOT)
            if former and former.etag == info.etag:
                return former
            await self._download(path)
            await check_adopted(self._store, path)
        except ObjectNotFoundError:
            return _Base(None, path, None)
        except NotAdoptedError:
            self._blocked_until = time.monotonic() + _NOT_ADOPTED_PAUSE_S
            path.unlink(missing_ok=True)
            raise
        if former:
            former.path.unlink(missing_ok=True)
        footer = await self._worker.run(Footer.read, path)
        if footer:
            log.info("snapshot.found", rows=footer.rows, table_version=footer.version, age_s=_age(footer))
        else:
            log.warning("snapshot.unreadable", reason="It is no snapshot of this version; a new one is made.")
        return _Base(info.etag, path, footer)

    async def _download(self, path: Path) -> None:
        try:
            with path.open("wb") as file:
                async for chunk in self._store.stream(keys.SNAPSHOT):
                    file.write(chunk)
        except OSError as error:
            raise LocalDiskError(f"The temporary file {path} cannot be written: {error.strerror}.") from error

    async def _publish(self, base: _Base, backlog: Backlog) -> None:
        path = self._new_path()
        started = time.monotonic()
        try:
            footer = await self._worker.run(self._builder.build, path, base.path, base.footer)
            etag = await self._store.put(
                keys.SNAPSHOT,
                path,
                content_type=MEDIA_TYPE,
                if_absent=base.etag is None,
                if_match=base.etag,
            )
        except OSError as error:
            raise LocalDiskError(f"The temporary file {path} cannot be read: {error}") from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        base.path.unlink(missing_ok=True)
        now = time.monotonic()
        self._base, self._backlog = _Base(etag, path, footer), None
        self._published = Published(footer.rows, footer.size, now)
        log.info(
            "snapshot.published",
            rows=footer.rows,
            bytes=footer.size,
            table_version=footer.version,
            seconds=round(now - started, 3),
            lag_s=round(now - backlog.oldest_at, 3),
            previous_age_s=base.footer and _age(base.footer),
        )

    def _tell_age(self, base: _Base, backlog: Backlog, now: float) -> None:
        """Say now and then how old the published one is while rows wait for the next."""
        if base.footer and now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            log.info("snapshot.waiting", rows_waiting=backlog.rows, age_s=_age(base.footer))

    def _new_path(self) -> Path:
        self._files += 1
        return self._folder / f"snapshot-{self._files}.parquet"


def _age(footer: Footer) -> float:
    """Seconds since it was made, by the clocks of its maker and ours; for people only."""
    return round((datetime.now(UTC) - footer.made_at).total_seconds(), 1)
