"""A multipart upload: parts of one size, a few on their way at once; all or nothing.

`S3Store.put_stream` calls it for bodies of more than one part. Must never leave an upload open that it can
still abort; one whose process was killed stays until the bucket's lifecycle rule removes it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog
from botocore.exceptions import ClientError

from dam.errors import StoreError
from dam.store.s3_errors import code_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store.s3_bucket import Bucket

PART: Final = 5 << 20
"""Bytes. The smallest that S3 takes, because a part is held in memory; R2 wants all but the last equal."""

_MOST_PARTS: Final = 10_000
_AT_ONCE: Final = 2
_ABORT_S: Final = 10.0

_log = structlog.get_logger(__name__)


async def cut(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in parts of `PART`; the last one, and only that, is shorter (and empty at worst)."""
    waiting = bytearray()
    async for chunk in chunks:
        view = memoryview(chunk)
        while view:
            taken = view[: PART - len(waiting)]
            waiting += taken
            view = view[len(taken) :]
            if len(waiting) == PART:
                part, waiting = bytes(waiting), bytearray()
                yield part
    yield bytes(waiting)


class MultipartUpload:
    """One upload to one key."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket = bucket
        self._key = key
        self._etags: dict[int, str] = {}
        self._size = 0

    async def run(self, first: bytes, rest: AsyncIterator[bytes], headers: dict[str, Any]) -> int:
        """Send everything and return the size; abort on any error, cancellation included."""
        upload_id = await self._begin(headers)
        try:
            await self._send_parts(upload_id, first, rest)
            await self._complete(upload_id)
        except BaseException:
            await asyncio.shield(self._abort(upload_id))
            raise
        return self._size

    async def _begin(self, headers: dict[str, Any]) -> str:
        beginning = asyncio.ensure_future(self._bucket.call(self._key, "create_multipart_upload", **headers))
        try:
            return str((await asyncio.shield(beginning))["UploadId"])
        except asyncio.CancelledError:
            # It may be open at the server already: only its answer tells what to abort.
            late = await asyncio.shield(asyncio.gather(beginning, return_exceptions=True))
            if isinstance(late[0], dict):
                await asyncio.shield(self._abort(str(late[0]["UploadId"])))
            raise

    async def _send_parts(self, upload_id: str, first: bytes, rest: AsyncIterator[bytes]) -> None:
        pending = {asyncio.create_task(self._send_part(upload_id, 1, first))}
        number = 1
        del first  # its memory goes when it is sent
        try:
            async for part in rest:
                if not part:
                    continue
                number += 1
                self._check_number(number)
                if len(pending) == _AT_ONCE:
                    pending = await _settle(pending, asyncio.FIRST_COMPLETED)
                pending.add(asyncio.create_task(self._send_part(upload_id, number, part)))
                del part
            await _settle(pending, asyncio.ALL_COMPLETED)
        except BaseException:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            raise

    def _check_number(self, number: int) -> None:
        if number > _MOST_PARTS:
            raise StoreError(f"{self._key} is larger than {_MOST_PARTS * PART >> 30} GiB, the most there is.")

    async def _send_part(self, upload_id: str, number: int, part: bytes) -> None:
        answer = await self._bucket.send(
            self._key, "upload_part", part, UploadId=upload_id, PartNumber=number
        )
        self._etags[number] = answer["ETag"]
        self._size += len(part)

    async def _complete(self, upload_id: str) -> None:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self._etags.items())]
        try:
            await self._bucket.call(
                self._key, "complete_multipart_upload", UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except StoreError as error:
            # A retry after a lost answer finds its own upload completed, and so gone.
            if not (isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "NoSuchUpload"):
                raise
            found = await self._bucket.call(self._key, "head_object")
            if found["ContentLength"] != self._size:
                raise

    async def _abort(self, upload_id: str) -> None:
        try:
            async with asyncio.timeout(_ABORT_S):
                await self._bucket.call(self._key, "abort_multipart_upload", UploadId=upload_id)
        except (StoreError, TimeoutError) as error:
            _log.warning("store.abort_failed", key=self._key, upload_id=upload_id, reason=str(error))


async def _settle(pending: set[asyncio.Task[None]], until: str) -> set[asyncio.Task[None]]:
    """Wait, raise the first error there is, and return what still runs."""
    done, running = await asyncio.wait(
        pending, return_when=asyncio.FIRST_EXCEPTION if until == asyncio.ALL_COMPLETED else until
    )
    for task in done:
        task.result()
    return running
