"""One asset's files: the original, then the XMP, and last the JSON, which says that all are there.

The exporter calls this, several assets at once. A file that another program has changed or put there is left.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from dam.errors import ObjectNotFoundError
from dam.export.names import JSON, XMP
from dam.export.sidecars import SCHEMA, make_json, make_xmp
from dam.export.target import DamagedError, TargetError, hash_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue import Row
    from dam.export.ledger import Place
    from dam.export.target import Target
    from dam.store.port import ObjectStore

_NO_USE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""With these the next file would fare no better."""


class Outcome(StrEnum):
    """What became of one asset."""

    NEW = "exported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person should know of one asset."""

    asset_id: str
    path: str
    reason: str


class AssetWriter:
    """Writes to one target. `verify`: what is there is read again."""

    def __init__(self, store: ObjectStore, target: Target) -> None:
        self._store = store
        self._target = target
        self.verify = False

    async def write(
        self, history: Sequence[Row], place: Place, former: Sequence[Place]
    ) -> tuple[Outcome, Problem | None]:
        """Bring the files at `place` up to the asset's last row, and remove those at `former` places.

        Raises:
            TargetError: the disk is full, or worse.
            StoreUnavailableError: the bucket does not answer.
        """
        row = history[-1]
        try:
            return await self._write(history, place, former)
        except ObjectNotFoundError:
            reason = "its original is not in the bucket"
        except DamagedError as error:
            reason = str(error)
        except OSError as error:
            reason = f"it cannot be written: {error.strerror or error}"
            if error.errno in _NO_USE:
                raise TargetError(f"{self._target.path(place.path)}: {reason}.") from error
        return Outcome.FAILED, Problem(row.id, place.path, reason)

    async def _write(
        self, history: Sequence[Row], place: Place, former: Sequence[Place]
    ) -> tuple[Outcome, Problem | None]:
        row = history[-1]
        has_original = await asyncio.to_thread(self._has_original, row, place)
        has_xmp = self._target.path(place.path + XMP).is_file()
        if has_original and has_xmp and (place.revision, place.schema) == (row.revision, SCHEMA):
            await asyncio.to_thread(self._remove, row, former)
            return Outcome.UNCHANGED, None
        if not has_original:
            await self._fetch(row, place)
        xmp_sha256 = await asyncio.to_thread(self._write_xmp, row, place)
        file = place.path.rpartition("/")[2]
        data = make_json(history, file, xmp_sha256)
        await asyncio.to_thread(self._target.write, place.path + JSON, data)
        await asyncio.to_thread(self._remove, row, former)
        outcome = Outcome.UPDATED if place.revision else Outcome.NEW
        kept = "another program has changed its .xmp, which was left as it is"
        return outcome, None if xmp_sha256 else Problem(row.id, place.path, kept)

    def _has_original(self, row: Row, place: Place) -> bool:
        """Whether it is there. Raises `DamagedError` where it is not what was exported."""
        path = self._target.path(place.path)
        if not path.exists():
            return False
        same = row.size_bytes in {None, path.stat().st_size}
        if same and self.verify and row.sha256:
            same = hash_file(path) == row.sha256
        if not same:
            raise DamagedError("the file has been changed since; move it away to have it exported again")
        return True

    async def _fetch(self, row: Row, place: Place) -> None:
        if row.r2_key is None:
            raise ObjectNotFoundError(f"The catalogue does not know the original of {row.id}.")
        chunks = self._store.stream(row.r2_key)
        await self._target.receive(place.path, chunks, row.size_bytes, row.sha256)
        moment = row.captured_at or row.received_at
        if moment:  # what programs sort by where a file says nothing itself
            os.utime(self._target.path(place.path), (moment.timestamp(), moment.timestamp()))

    def _write_xmp(self, row: Row, place: Place) -> str | None:
        """Its SHA-256; None where another program's was left."""
        data = make_xmp(row)
        sha256 = hashlib.sha256(data).hexdigest()
        there = hash_file(self._target.path(place.path + XMP))
        if there not in {None, place.xmp_sha256, sha256}:
            return None
        if there != sha256:
            self._target.write(place.path + XMP, data)
        return sha256

    def _remove(self, row: Row, former: Sequence[Place]) -> None:
        """Files under former names, as far as they are still what was written; the JSON last."""
        for place in former:
            for ending, sha256 in (("", row.sha256), (XMP, place.xmp_sha256)):
                path = self._target.path(place.path + ending)
                if sha256 and hash_file(path) == sha256:
                    path.unlink()
            self._target.path(place.path + JSON).unlink(missing_ok=True)
