"""An upload of unknown length: one put where it fits one part, else a multipart upload, part by part.

`S3Store.put_stream` calls it. One buffer holds the part that is filled and then sent: while it is on its way
the sender's bytes wait in the kernel's buffers, and memory stays at one part for each upload. All or
nothing: must never leave an upload open that it can still abort; one whose process was killed stays until
the bucket's lifecycle rule removes it.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any, Final

import structlog
from botocore.exceptions import ClientError

from dam.errors import StoreError
from dam.store.port import Streamed
from dam.store.s3_errors import code_of
from dam.store.s3_part import PART, Part

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store.s3_bucket import Bucket

_MOST_PARTS: Final = 10_000
_ABORT_S: Final = 10.0

_log = structlog.get_logger(__name__)


class Upload:
    """One upload to one key."""

    def __init__(self, bucket: Bucket, key: str, headers: dict[str, Any]) -> None:
        self._bucket = bucket
        self._key = key
        self._headers = headers
        self._id: str | None = None
        self._part = Part()
        self._etags: list[str] = []
        self._size = 0
        self._hash = hashlib.sha256()

    async def run(self, chunks: AsyncIterator[bytes]) -> Streamed:
        """Send everything and say what it was; abort on any error, cancellation included."""
        try:
            async for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = self._part.fill(rest)
                    if len(self._part) == PART:
                        await self._send_part()
            await self._finish()
        except BaseException:
            if self._id is not None:
                await asyncio.shield(self._abort())
            raise
        return Streamed(self._size, self._hash.hexdigest())

    async def _send_part(self) -> None:
        """Send the part as it is, and begin it anew."""
        if self._id is None:
            self._id = await self._begin()
        if len(self._etags) == _MOST_PARTS:
            raise StoreError(f"{self._key} is larger than {_MOST_PARTS * PART >> 30} GiB, the most there is.")
        self._take_into_account()
        answer = await self._bucket.send(
            *(self._key, "upload_part", self._part), UploadId=self._id, PartNumber=len(self._etags) + 1
        )
        self._etags.append(answer["ETag"])
        self._part.clear()

    async def _finish(self) -> None:
        """Send the last part, which may be shorter, and make the object visible."""
        if self._id is None:
            self._take_into_account()
            await self._bucket.send(self._key, "put_object", self._part, **self._headers)
            return
        if self._part:
            await self._send_part()
        await self._complete()

    def _take_into_account(self) -> None:
        """Count and hash the part: for its signature, and for the whole, which the first part is so far."""
        self._hash.update(self._part.data)
        if self._size:
            self._part.sha256 = hashlib.sha256(self._part.data).hexdigest()
        else:
            self._part.sha256 = self._hash.hexdigest()
        self._size += len(self._part)

    async def _begin(self) -> str:
        beginning = asyncio.ensure_future(
            self._bucket.call(self._key, "create_multipart_upload", **self._headers)
        )
        try:
            return str((await asyncio.shield(beginning))["UploadId"])
        except asyncio.CancelledError:
            # It may be open at the server already: only its answer tells what to abort.
            [late] = await asyncio.shield(asyncio.gather(beginning, return_exceptions=True))
            if isinstance(late, dict):
                self._id = str(late["UploadId"])
            raise

    async def _complete(self) -> None:
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(self._etags, 1)]
        try:
            await self._bucket.call(
                self._key, "complete_multipart_upload", UploadId=self._id, MultipartUpload={"Parts": parts}
            )
        except StoreError as error:
            # A retry after a lost answer finds its own upload completed, and so gone.
            if not _is_gone(error):
                raise
            found = await self._bucket.call(self._key, "head_object")
            if found["ContentLength"] != self._size:
                raise

    async def _abort(self) -> None:
        try:
            async with asyncio.timeout(_ABORT_S):
                await self._bucket.call(self._key, "abort_multipart_upload", UploadId=self._id)
        except (StoreError, TimeoutError) as error:
            if _is_gone(error):  # cancelled while the server completed it: the object is whole
                return
            _log.warning("store.abort_failed", key=self._key, upload_id=self._id, reason=str(error))


def _is_gone(error: Exception) -> bool:
    return isinstance(error.__cause__, ClientError) and code_of(error.__cause__) == "NoSuchUpload"
