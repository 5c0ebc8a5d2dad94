"""What an upload costs without a service: the same requests by aioboto3 and aio-pika alone. Used by `upload`.

The original in one put or in parts of the same size, the claim with `If-None-Match`, the job published with a
confirm. It hashes nothing and answers nobody.
"""

from __future__ import annotations

import io
import json
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aio_pika

from dam import keys
from dam.ids import new_id
from dam.queue.amqp.topology import JOBS
from dam.store.s3_part import PART
from dam.store.s3_session import make_config, make_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aio_pika.abc import AbstractExchange

    from benchmarks.upload_clients import File
    from dam.settings import DamSettings

_TYPE: Final = "image/jpeg"


class BareUpload:
    """One S3 client and one channel for all tasks, as the service has them."""

    def __init__(self, client: Any, bucket: str, exchange: AbstractExchange) -> None:
        self._client = client
        self._bucket = bucket
        self._exchange = exchange

    async def send(self, file: File) -> None:
        """Store, claim and queue one file."""
        asset_id = new_id()
        key = keys.original(asset_id, "jpg")
        if file.size < PART:
            await self._put(key, io.BytesIO(b"".join(file)), ContentType=_TYPE)
        else:
            await self._put_parts(key, file)
        claim = {"id": asset_id, "key": key, "size": file.size}
        sha256 = secrets.token_hex(32)
        await self._put(keys.claim(sha256), json.dumps(claim).encode(), IfNoneMatch="*")
        job = {**claim, "schema": 1, "kind": "enrich", "filename": "picture.jpg", "sha256": sha256}
        message = aio_pika.Message(
            json.dumps(job).encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT, headers={"a": 0}
        )
        await self._exchange.publish(message, JOBS, mandatory=True)

    async def _put(self, key: str, body: io.BytesIO | bytes, **options: str) -> None:
        await self._client.put_object(Bucket=self._bucket, Key=key, Body=body, **options)

    async def _put_parts(self, key: str, file: File) -> None:
        where = {"Bucket": self._bucket, "Key": key}
        begun = await self._client.create_multipart_upload(**where, ContentType=_TYPE)
        done: list[dict[str, Any]] = []
        at = 0
        while at < file.size:
            piece = _piece(file, at)
            answer = await self._client.upload_part(
                **where, UploadId=begun["UploadId"], PartNumber=len(done) + 1, Body=io.BytesIO(piece)
            )
            done.append({"ETag": answer["ETag"], "PartNumber": len(done) + 1})
            at += len(piece)
        await self._client.complete_multipart_upload(
            **where, UploadId=begun["UploadId"], MultipartUpload={"Parts": done}
        )


def _piece(file: File, at: int) -> bytes | memoryview:
    """The part that begins there."""
    if at == 0:
        return file.mark + file.rest[: PART - len(file.mark)]
    begin = at - len(file.mark)
    return file.rest[begin : begin + PART]


@asynccontextmanager
async def bare_uploads(settings: DamSettings) -> AsyncIterator[BareUpload]:
    """Connected to the bucket and the broker; the queue must be there already."""
    key_id, secret = settings.store_access_key_id, settings.store_secret_access_key
    if key_id is None or secret is None:
        raise RuntimeError("The bare uploads need the S3 server's credentials in the settings.")
    opening = make_session().client(
        "s3",
        endpoint_url=settings.store_endpoint_url,
        region_name=settings.store_region,
        aws_access_key_id=key_id.get_secret_value(),
        aws_secret_access_key=secret.get_secret_value(),
        config=make_config(settings),
    )
    connecting = aio_pika.connect(settings.queue_url.get_secret_value())
    async with opening as client, await connecting as connection:
        channel = await connection.channel(on_return_raises=True)
        yield BareUpload(client, urlsplit(settings.store_url).netloc, channel.default_exchange)
