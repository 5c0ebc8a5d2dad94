"""Whether the bucket's conditional puts hold: claims, the catalogue and the lease stand on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dam.doctor.findings import Finding, Tell, Verdict
from dam.errors import PreconditionFailedError, StoreError

if TYPE_CHECKING:
    from dam.store.port import ObjectStore

_HARM: Final = "two writers at once would overwrite each other, and work would be lost"
_REMEDY: Final = "Use a bucket with conditional puts: R2, AWS S3, MinIO, or Ceph 16 or newer."


async def check_conditions(store: ObjectStore, key: str, tell: Tell) -> None:
    """One finding for each condition; leaves an object at `key` for the caller to remove."""
    try:
        etag = await store.put(key, b"first", if_absent=True)
        ignored = await _is_taken(store, key, if_absent=True)
    except StoreError as error:
        tell(Finding("bucket.if_none_match", Verdict.BROKEN, f"No put with If-None-Match: {error}", _REMEDY))
        return
    if ignored:
        told = f"It ignores If-None-Match: {_HARM}."
        tell(Finding("bucket.if_none_match", Verdict.BROKEN, told, _REMEDY))
        etag = (await store.head(key)).etag
    else:
        tell(Finding("bucket.if_none_match", Verdict.WELL, "If-None-Match holds: what is there stays."))
    try:
        await store.put(key, b"second", if_match=etag)
        ignored = await _is_taken(store, key, if_match=etag)
    except StoreError as error:
        tell(Finding("bucket.if_match", Verdict.BROKEN, f"No put with If-Match: {error}", _REMEDY))
        return
    if ignored:
        tell(Finding("bucket.if_match", Verdict.BROKEN, f"It ignores If-Match: {_HARM}.", _REMEDY))
        return
    tell(Finding("bucket.if_match", Verdict.WELL, f"If-Match holds{_quoting(store)}."))


async def _is_taken(store: ObjectStore, key: str, **condition: bool | str) -> bool:
    """Whether a put is taken that must be refused."""
    try:
        await store.put(key, b"must not be taken", **condition)  # type: ignore[arg-type]  # one of the port's two
    except PreconditionFailedError:
        return False
    return True


def _quoting(store: ObjectStore) -> str:
    quoted = getattr(store, "if_match_quoted", None)  # a folder has no headers
    if quoted is None:
        return ""
    return ", with the ETag in quotes" if quoted else ", with the ETag without quotes"
