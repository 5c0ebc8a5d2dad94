"""The original project's table, `metadata/images.parquet`: whether one is there, and a copy to read from.

Its six columns are the only place of its captions and file names, at the very key of our snapshot. So until
`dam adopt` has taken it over and kept a copy, nothing may replace it: who publishes asks here first.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from dam import keys
from dam.catalogue.row import SCHEMA
from dam.errors import DamError, ObjectNotFoundError, PreconditionFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from dam.store.port import ObjectInfo, ObjectStore

COLUMNS: Final = tuple(SCHEMA.names[:6])
"""`id, filename, r2_key, vector_key, mime_type, caption`."""
MEDIA_TYPE: Final = "application/vnd.apache.parquet"
UNADOPTED: Final = (
    f"{keys.SNAPSHOT} is the original project's, with the only copy of its captions: until `dam adopt` has "
    "taken the bucket over, it is not replaced, and nothing is queued by `dam reconcile`."
)
_TAIL_BYTES: Final = 64 * 1024
_OURS: Final = b"dam.table_id"


class NotAdoptedError(DamError):
    """The bucket is the original project's, and `dam adopt` has not taken it over yet."""


class FormerTableError(DamError):
    """The table cannot be read, so that nobody can tell which captions are in it."""


def is_former_table(path: Path) -> bool:
    """Whether a file is a table of the original project, and not a snapshot of ours."""
    try:
        with pq.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            return names >= set(COLUMNS) and _OURS not in (file.metadata.metadata or {})
    except (pa.ArrowException, OSError):
        return False


async def check_adopted(store: ObjectStore, path: Path) -> None:
    """Raise `NotAdoptedError` where `path`, a copy of the published snapshot, is a table not yet adopted.

    Raises:
        StoreUnavailableError: the bucket does not answer.
    """
    if not is_former_table(path):
        return
    try:
        await store.head(keys.adopted_table(hash_file(path)))
    except ObjectNotFoundError:
        raise NotAdoptedError(UNADOPTED) from None


async def keep_table(store: ObjectStore, path: Path) -> str:
    """Store a copy of a table that was taken over, unless it is there already; its key."""
    key = keys.adopted_table(hash_file(path))
    with suppress(PreconditionFailedError):
        await store.put(key, path, content_type=MEDIA_TYPE, if_absent=True)
    return key


async def fetch_tables(store: ObjectStore, folder: Path) -> tuple[list[Path], Path | None]:
    """Copies of all tables of the original project, the newest last; and which of them is not kept yet.

    Raises:
        FormerTableError: what lies at the snapshot's key is neither such a table nor a snapshot of ours.
        StoreUnavailableError: the bucket does not answer.
    """
    kept = [found async for found in store.list(keys.ADOPTED_TABLES)]
    kept.sort(key=lambda found: (found.last_modified, found.key))
    paths = [
        await _download(store, found.key, folder / f"kept-{at}.parquet") for at, found in enumerate(kept)
    ]
    path = folder / "published.parquet"
    try:
        await _download(store, keys.SNAPSHOT, path)
    except ObjectNotFoundError:
        return paths, None
    if not is_former_table(path):
        _refuse_unreadable(path)
        return paths, None
    is_kept = keys.adopted_table(hash_file(path)) in {found.key for found in kept}
    return (paths, None) if is_kept else ([*paths, path], path)


async def holds_former_table(store: ObjectStore, folder: Path) -> bool:
    """Whether a table that is not adopted yet lies at the snapshot's key; a snapshot of ours costs one read.

    Raises:
        StoreUnavailableError: the bucket does not answer.
    """
    try:
        info = await store.head(keys.SNAPSHOT)
        if await _is_ours(store, info):
            return False
        path = await _download(store, keys.SNAPSHOT, folder / "published.parquet")
    except ObjectNotFoundError:
        return False
    try:
        await check_adopted(store, path)
    except NotAdoptedError:
        return True
    return False


def hash_file(path: Path) -> str:
    """SHA-256 in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _is_ours(store: ObjectStore, info: ObjectInfo) -> bool:
    """Whether the file's last bytes, where its footer is, hold our mark: no whole download to find out."""
    tail = b"".join(
        [chunk async for chunk in store.stream(info.key, max(0, info.size - _TAIL_BYTES), info.size)]
    )
    return _OURS in tail


def _refuse_unreadable(path: Path) -> None:
    try:
        with pq.ParquetFile(path):
            return
    except (pa.ArrowException, OSError) as error:
        raise FormerTableError(
            f"{keys.SNAPSHOT} cannot be read as Parquet ({error}): put it back from a backup, or, if its "
            "captions and file names are not wanted, move it away; then adopt again."
        ) from error


async def _download(store: ObjectStore, key: str, path: Path) -> Path:
    with path.open("wb") as file:
        async for chunk in store.stream(key):
            file.write(chunk)
    return path
