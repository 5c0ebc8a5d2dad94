"""The published snapshot, `metadata/images.parquet`: one row per live asset, for any Parquet reader.

`dam maintain` calls `step` every second or so. A new snapshot is the old one merged with the rows since, as
the table's change feed has them; where that does not reach back, all rows are read. It is written over the
very object that it was made from, or not at all, so that an older one can never replace a newer. Temporary
files are local; what is lost with them is only time.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import structlog

from dam import keys
from dam.errors import DamError, ObjectNotFoundError, PreconditionFailedError, StoreUnavailableError
from dam.maintenance import snapshot_file
from dam.maintenance.feed import FeedUnreadableError, count_added, read_added, read_all
from dam.maintenance.pacing import Backlog, Published, is_due
from dam.maintenance.runs import merge_runs, sort_into_runs
from dam.maintenance.snapshot_file import Footer, SnapshotTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dam.catalogue.storage import TableHandle
    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker
    from dam.store.port import ObjectStore

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
_TOO_LARGE_PAUSE_S: Final = 3600.0


class LocalDiskError(DamError):
    """The temporary folder is full, or gone."""


@dataclass(frozen=True, slots=True)
class _Base:
    """The object that is published now: `etag` None where there is none, `footer` None where it is no use."""

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
        self._folder = folder
        self._settings = settings
        self._base: _Base | None = None
        self._published: Published | None = None
        self._backlog: Backlog | None = None
        self._seen = 0
        self._blocked_until = 0.0
        self._files = 0

    @property
    def last_row_at(self) -> float:
        """When a row was last seen that is not published yet, by the monotonic clock; 0 for none."""
        return self._backlog.newest_at if self._backlog else 0.0

    async def step(self) -> None:
        """Look at the table, and publish where that is due.

        Raises:
            CatalogueUnavailableError, StoreUnavailableError: the bucket does not answer; call again later.
            LocalDiskError: the temporary folder cannot be used.
        """
        await self._look()
        now = time.monotonic()
        if now < self._blocked_until or not is_due(self._backlog, self._published, self._settings, now):
            return
        try:
            await self._publish()
        except SnapshotTooLargeError as error:
            self._blocked_until = now + _TOO_LARGE_PAUSE_S
            log.error("snapshot.too_large", reason=str(error))  # noqa: TRY400 - it was foreseen
        except PreconditionFailedError:
            self._base = None
            log.warning("snapshot.superseded", reason="Somebody else wrote it meanwhile; it is read again.")
        except StoreUnavailableError:
            self._base = None  # whether it was written is unclear: read it again
            raise

    async def _look(self) -> None:
        """Bring `_backlog` up to date with the table's newest version."""
        if self._base is None:
            self._base = await self._find()  # before the refresh: the table is never behind its snapshot
            self._seen = await self._worker.run(self._handle.refresh)
            now, footer = time.monotonic(), self._base.footer
            self._published = Published(footer.rows, footer.size, now) if footer else None
            is_current = footer is not None and self._is_ours(footer) and footer.version == self._seen
            self._backlog = None if is_current else Backlog(None, now, now)
            return
        version = await self._worker.run(self._handle.refresh)
        if version > self._seen:
            rows = await self._worker.run(count_added, self._handle, self._seen)
            self._seen = version
            if rows:
                self._add(rows)

    def _add(self, rows: int) -> None:
        now = time.monotonic()
        if self._backlog is None:
            self._backlog = Backlog(rows, now, now)
        else:
            known = self._backlog.rows
            self._backlog = replace(
                self._backlog, rows=None if known is None else known + rows, newest_at=now
            )

    async def _find(self) -> _Base:
        """Fetch what is published."""
        path = self._new_path()
        try:
            info = await self._store.head(keys.SNAPSHOT)
            await self._download(path)
        except ObjectNotFoundError:
            return _Base(None, path, None)
        footer = await self._worker.run(Footer.read, path)
        if footer:
            age_s = (datetime.now(UTC) - footer.made_at).total_seconds()
            log.info("snapshot.found", rows=footer.rows, table_version=footer.version, age_s=round(age_s, 1))
        else:
            log.warning("snapshot.unreadable", reason="It is no Parquet file of ours; a new one is made.")
        return _Base(info.etag, path, footer)

    async def _download(self, path: Path) -> None:
        try:
            with path.open("wb") as file:
                async for chunk in self._store.stream(keys.SNAPSHOT):
                    file.write(chunk)
        except OSError as error:
            raise self._disk_error(error) from error

    async def _publish(self) -> None:
        base, backlog, path = self._base, self._backlog, self._new_path()
        if base is None or backlog is None:
            return
        started = time.monotonic()
        try:
            footer = await self._worker.run(self._build, base, path)
            etag = await self._store.put(
                keys.SNAPSHOT,
                path.read_bytes(),
                content_type=MEDIA_TYPE,
                if_absent=base.etag is None,
                if_match=base.etag,
            )
        except BaseException as error:
            path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise self._disk_error(error) from error
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
            previous_age_s=base.footer and round((footer.made_at - base.footer.made_at).total_seconds(), 1),
        )

    def _build(self, base: _Base, path: Path) -> Footer:
        """Blocking: merge if that can be done, else read everything."""
        if base.footer and self._is_ours(base.footer) and base.footer.version <= self._seen:
            try:
                return self._write(path, base, base.footer.version)
            except FeedUnreadableError as error:
                log.warning("snapshot.rebuilding", reason=str(error))
            except (pa.ArrowException, OSError) as error:
                log.warning("snapshot.rebuilding", reason=f"The published one cannot be merged: {error}")
        return self._write(path, None, 0)

    def _write(self, path: Path, base: _Base | None, since: int) -> Footer:
        check = self._worker.check
        batches = read_added(self._handle, since) if base else read_all(self._handle)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            runs = sort_into_runs(batches, Path(folder), self._settings.sort_memory_bytes, check)
            if base:
                runs.append(snapshot_file.read_run(base.path))
            return snapshot_file.write(
                path,
                _checked(merge_runs(runs), self._worker),
                table_id=self._table_id(),
                version=self._seen,
                max_bytes=self._settings.snapshot_max_bytes,
                check=check,
            )

    def _is_ours(self, footer: Footer) -> bool:
        return footer.table_id == self._table_id()

    def _table_id(self) -> str:
        return str(self._handle.delta.metadata().id)

    def _new_path(self) -> Path:
        self._files += 1
        return self._folder / f"snapshot-{self._files}.parquet"

    def _disk_error(self, error: OSError) -> LocalDiskError:
        return LocalDiskError(
            f"The temporary folder {self._folder} cannot be used: {error.strerror or error}."
        )


def _checked(pieces: Iterator[pa.Table], worker: Worker) -> Iterator[pa.Table]:
    for piece in pieces:
        worker.check()
        yield piece
