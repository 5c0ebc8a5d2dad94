"""The object store in an S3-compatible bucket (R2, AWS, radosgw, …): what `DAM_STORE_URL=s3://…` opens.

One client is kept for the store's life, with a bounded pool, timeouts and botocore's own retries (mode
`standard`: connection errors, 5xx, throttling) as the settings say. What a retry means for a conditional
put stands in `s3_conditions`, for an upload in `s3_upload`; a broken download goes on where it broke.
"""

from __future__ import annotations

import asyncio
import random
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote

from botocore.exceptions import ClientError

from dam.errors import StoreError, StoreUnavailableError
from dam.store.naming import check_key, check_metadata
from dam.store.port import ObjectInfo, ObjectStore, StoredObject, Streamed
from dam.store.s3_bucket import Bucket
from dam.store.s3_conditions import MARKER, ConditionalPuts, bare
from dam.store.s3_errors import BROKEN, FAILED, status_of
from dam.store.s3_upload import Upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from dam.settings import DamSettings

_PING_S: Final = 5.0
_CHUNK: Final = 256 << 10
_LONGEST_PAUSE_S: Final = 5.0


class S3Store(ObjectStore):
    """One bucket. Make it with `connect`."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._conditional = ConditionalPuts(bucket)

    @classmethod
    async def connect(cls, settings: DamSettings) -> Self:
        """Make the client; nothing is sent yet, so the bucket need not be there.

        Raises:
            SettingsError: missing credentials, no bucket in the URL, or an endpoint that is no URL.
        """
        return cls(await Bucket.connect(settings))

    @property
    def url(self) -> str:
        """`s3://bucket`."""
        return f"s3://{self._bucket.name}"

    @property
    def if_match_quoted(self) -> bool | None:
        """Whether the server takes `If-Match` in quotes; None as long as no conditional put has shown it."""
        return self._conditional.quoted

    async def put(  # noqa: PLR0913 - the port's
        self,
        key: str,
        data: bytes | Path,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> str:
        """See `ObjectStore.put`."""
        headers = _headers(key, content_type, metadata)
        if if_match is not None:
            return await self._conditional.replace(key, data, headers, if_match)
        if if_absent:
            return await self._conditional.create(key, data, headers)
        return bare((await self._bucket.send(key, "put_object", data, **headers))["ETag"])

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Streamed:
        """See `ObjectStore.put_stream`. Holds one part of 5 MiB."""
        headers = _headers(key, content_type, metadata)
        return await Upload(self._bucket, key, headers).run(chunks)

    async def get(self, key: str) -> StoredObject:
        """See `ObjectStore.get`."""
        broken = 0
        while True:
            answer = await self._bucket.call(key, "get_object")
            try:
                async with answer["Body"]:
                    return StoredObject(await answer["Body"].read(), _info(key, answer))
            except BROKEN as error:
                broken += 1
                await self._pause_or_give_up(key, broken, error)

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """See `ObjectStore.stream`."""
        if end is not None and end <= start:
            await self.head(key)
            return
        position, etag, broken = start, "", 0
        while (answer := await self._range(key, position, end)) is not None:
            try:
                async with answer["Body"]:
                    if etag and answer["ETag"] != etag:
                        raise StoreUnavailableError(f"{key} was replaced while it was read; read it again.")
                    etag = answer["ETag"]
                    while chunk := await answer["Body"].read(_CHUNK):
                        position += len(chunk)
                        yield chunk
            except BROKEN as error:
                broken += 1
                await self._pause_or_give_up(key, broken, error)
            else:
                return

    async def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return _info(key, await self._bucket.call(key, "head_object"))

    async def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        await self._bucket.call(key, "delete_object")

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        query = {"Bucket": self._bucket.name, "Prefix": prefix, "StartAfter": start_after}
        while True:
            try:
                page = await self._bucket.client.list_objects_v2(**query)
            except FAILED as error:
                raise self._bucket.errors.translate(error) from error
            for item in page.get("Contents", ()):
                yield ObjectInfo(item["Key"], item["Size"], bare(item["ETag"]), item["LastModified"])
            if not page.get("IsTruncated"):
                return
            query["ContinuationToken"] = page["NextContinuationToken"]

    async def ping(self) -> None:
        """See `ObjectStore.ping`."""
        try:
            async with asyncio.timeout(_PING_S):
                await self._bucket.client.head_bucket(Bucket=self._bucket.name)
        except FAILED as error:
            if isinstance(error, ClientError) and status_of(error) == HTTPStatus.NOT_FOUND:
                error.response["Error"]["Code"] = "NoSuchBucket"  # a HEAD's answer has no body to say so
            raise self._bucket.errors.translate(error) from error

    async def sign_url(self, key: str, *, expires_s: int, filename: str | None = None) -> str | None:
        """See `ObjectStore.sign_url`."""
        check_key(key)
        query = {"Bucket": self._bucket.name, "Key": key}
        if filename is not None:
            query["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        url: str = await self._bucket.client.generate_presigned_url("get_object", query, ExpiresIn=expires_s)
        return url

    async def close(self) -> None:
        """See `ObjectStore.close`."""
        await self._bucket.close()

    async def _range(self, key: str, start: int, end: int | None) -> Any:
        """The answer with these bytes, or None where the object ends before them."""
        wanted: dict[str, Any] = {}
        if (start, end) != (0, None):
            wanted["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        try:
            return await self._bucket.call(key, "get_object", **wanted)
        except StoreError as error:
            if (
                isinstance(error.__cause__, ClientError)
                and status_of(error.__cause__) == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            ):
                return None
            raise

    async def _pause_or_give_up(self, key: str, broken: int, error: BaseException) -> None:
        """Wait a little longer each time; the last time raise."""
        if broken >= self._bucket.attempts:
            raise self._bucket.errors.translate(error, key) from error
        await asyncio.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.1 * 2**broken)))  # noqa: S311 - jitter


def _headers(key: str, content_type: str, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    check_key(key)
    check_metadata(key, metadata or {})
    return {"ContentType": content_type, "Metadata": dict(metadata or {})}


def _info(key: str, answer: Mapping[str, Any]) -> ObjectInfo:
    metadata = {name: value for name, value in answer["Metadata"].items() if name != MARKER}
    return ObjectInfo(
        key=key,
        size=answer["ContentLength"],
        etag=bare(answer["ETag"]),
        last_modified=answer["LastModified"],
        content_type=answer.get("ContentType", "application/octet-stream"),
        metadata=metadata,
    )
