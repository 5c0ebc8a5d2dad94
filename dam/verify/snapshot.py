"""The published snapshot against the table version that its footer names: made once more, and compared.

It must never write to the bucket, but for `publish_anew`.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from dam import keys
from dam.adopt.former import NotAdoptedError, check_adopted, is_former_table
from dam.catalogue.storage import TableHandle
from dam.errors import CatalogueUnavailableError, ObjectNotFoundError, PreconditionFailedError
from dam.maintenance.snapshot import MEDIA_TYPE
from dam.maintenance.snapshot_build import SnapshotBuilder
from dam.maintenance.snapshot_file import Footer, read_run
from dam.store.delta import delta_location
from dam.verify.findings import Finding, Kind, Mending

if TYPE_CHECKING:
    from pathlib import Path

    from dam.maintenance.settings import MaintenanceSettings
    from dam.maintenance.worker import Worker
    from dam.store.port import ObjectStore

_FORMER: Final = "It is the original project's table, which no snapshot of ours has replaced."
_ADOPT: Final = "`dam adopt` takes it over; then a running `dam maintain` publishes, or --repair."
_REMEDY: Final = "--repair publishes it anew from the table; a running `dam maintain` does too."


class SnapshotLook:
    """Of one bucket; `folder` is for temporary files."""

    def __init__(
        self, store: ObjectStore, settings: MaintenanceSettings, worker: Worker, folder: Path
    ) -> None:
        self._store = store
        self._settings = settings
        self._worker = worker
        self._folder = folder

    async def check(self, handle: TableHandle) -> Finding | None:
        """What is wrong with it, by the table as `handle` sees it.

        Raises:
            StoreUnavailableError, CatalogueUnavailableError: the bucket does not answer.
        """
        path = self._folder / "published.parquet"
        try:
            await self._download(path)
        except ObjectNotFoundError:
            return await self._judge_missing(handle)
        footer = await self._worker.run(Footer.read, path)
        if footer is None and is_former_table(path):
            return Finding(Kind.SNAPSHOT, keys.SNAPSHOT, _FORMER, _ADOPT)
        if footer is None:
            return _wrong("It is no snapshot that this version reads: cut short, or of other columns.")
        await self._worker.run(handle.refresh)
        version, table_id = handle.delta.version(), str(handle.delta.metadata().id)
        if footer.table_id != table_id:
            return _wrong("It was made from another table.")
        if footer.version > version:
            return _wrong(f"It names version {footer.version} of the table, which is at {version}.")
        return await self._compare(path, footer)

    async def publish_anew(self) -> Mending:
        """Write one made from the whole table over the one that is there."""
        path = self._folder / "anew.parquet"
        try:
            etag: str | None = (await self._store.head(keys.SNAPSHOT)).etag
            await self._download(path)
            await check_adopted(self._store, path)
        except ObjectNotFoundError:
            etag = None
        except NotAdoptedError:
            return Mending.NOT_POSSIBLE
        handle = await self._worker.run(lambda: TableHandle.find(*delta_location(self._settings)))
        if handle is None:
            return Mending.NOT_POSSIBLE
        await self._worker.run(self._build, handle, path)
        try:
            await self._store.put(
                keys.SNAPSHOT, path, content_type=MEDIA_TYPE, if_absent=etag is None, if_match=etag
            )
        except PreconditionFailedError:
            return Mending.FAILED  # a running maintenance was faster: look again
        finally:
            path.unlink(missing_ok=True)
        return Mending.MENDED

    async def _download(self, path: Path) -> None:
        with path.open("wb") as file:
            async for chunk in self._store.stream(keys.SNAPSHOT):
                file.write(chunk)

    async def _judge_missing(self, handle: TableHandle) -> Finding | None:
        await self._worker.run(handle.refresh)
        live = await self._worker.run(_has_live, handle)
        return _wrong("There is none, and there are live assets.") if live else None

    async def _compare(self, path: Path, footer: Footer) -> Finding | None:
        version = footer.version
        try:
            handle = await self._worker.run(
                lambda: TableHandle.find(*delta_location(self._settings), version=version)
            )
            if handle is None:
                return _wrong("There is no table.")
            made = self._folder / "made.parquet"
            await self._worker.run(self._build, handle, made)
        except CatalogueUnavailableError:
            await self._store.ping()
            return _wrong(
                f"The version of the table that it shows, {version}, cannot be read any more (a purge or a "
                "vacuum has removed its files), so that nobody can tell whether it is right."
            )
        problem = await self._worker.run(_find_difference, path, made)
        return _wrong(f"{problem} Its footer names version {version}.") if problem else None

    def _build(self, handle: TableHandle, path: Path) -> None:
        SnapshotBuilder(handle, self._settings, self._worker.check).build(path, path, None)


def _has_live(handle: TableHandle) -> bool:
    return any(batch.num_rows for batch in handle.scan(["id"], "status = 'ready'"))


def _find_difference(published: Path, made: Path) -> str | None:
    """The first difference, as a sentence."""
    try:
        for left, right in zip_longest(read_run(published), read_run(made)):
            if left is None or right is None:
                more = "more" if right is None else "fewer"
                return f"It has {more} rows than the table has live assets."
            if not left.equals(right):
                at = next(
                    (
                        index
                        for index in range(min(len(left), len(right)))
                        if not left.slice(index, 1).equals(right.slice(index, 1))
                    ),
                    0,
                )
                return f"Its rows differ from the table's, from {right['id'][at]} on."
    except (pa.ArrowException, OSError) as error:
        return f"Its rows cannot be read: {error}."
    return None


def _wrong(problem: str) -> Finding:
    return Finding(Kind.SNAPSHOT, keys.SNAPSHOT, problem, _REMEDY)
