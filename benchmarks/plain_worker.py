"""The plain design that the pipeline replaces, as its peer for `pipeline_peer`: one blocking worker.

It takes one message at a time, holds the models itself, and for each picture downloads the original, captions
and embeds it, writes the vector, and reads and rewrites the whole of `metadata/images.parquet`. It makes no
thumbnails and survives nothing. The models are run by the pipeline's own code. The broker's client is
aio-pika with one message at a time, as pika is no dependency of this project: the work blocks it as well.

    python -m benchmarks.plain_worker QUEUE    prints "ready", and then the id of each picture that is done
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aio_pika
import boto3  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from bentos.settings import BentoSettings
from dam.pictures.decoding import decode
from dam.settings import DamSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

PARQUET: Final = "metadata/images.parquet"
COLUMNS: Final = ("id", "filename", "r2_key", "vector_key", "mime_type", "caption")
SCHEMA: Final = pa.schema([(name, pa.string()) for name in COLUMNS])


class PlainWorker:
    """Models, bucket, and what is done with one picture."""

    def __init__(self, settings: DamSettings) -> None:
        chosen = BentoSettings()
        models = locate(chosen.model_set, chosen.models_dir)
        self._captioner = Captioner(models.captioner)
        self._embedder = Embedder(models.embedder)
        self._bucket = urlsplit(settings.store_url).netloc
        key_id, secret = settings.store_access_key_id, settings.store_secret_access_key
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=settings.store_endpoint_url,
            region_name=settings.store_region,
            aws_access_key_id=key_id and key_id.get_secret_value(),
            aws_secret_access_key=secret and secret.get_secret_value(),
        )

    def enrich(self, job: Mapping[str, str]) -> None:
        """Everything for one picture."""
        image = decode(self._get(job["key"]))
        caption = self._captioner.caption([self._captioner.prepare(image)])[0]
        [vector] = self._embedder.embed_images([self._embedder.prepare_image(image)])
        vector_key = f"vectors/{job['id']}.json"
        self._put(vector_key, json.dumps({"id": job["id"], "embedding": vector}).encode())
        row = {
            "id": job["id"],
            "filename": job["filename"],
            "r2_key": job["key"],
            "vector_key": vector_key,
            "mime_type": "image/jpeg",
            "caption": caption,
        }
        self._append(row)

    def _append(self, row: dict[str, str]) -> None:
        """Read the file, add one row, write it back."""
        new = pa.Table.from_pylist([row], SCHEMA)
        try:
            rows = pa.concat_tables([pq.read_table(io.BytesIO(self._get(PARQUET))), new])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            rows = new
        buffer = io.BytesIO()
        pq.write_table(rows, buffer)
        self._put(PARQUET, buffer.getvalue())

    def _get(self, key: str) -> bytes:
        data: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return data

    def _put(self, key: str, data: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)


async def work(settings: DamSettings, name: str) -> None:
    """One message after the other, until killed."""
    worker = PlainWorker(settings)
    connection = await aio_pika.connect(settings.queue_url.get_secret_value())
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        queue = await channel.declare_queue(name, durable=True)
        print("ready", flush=True)
        async with queue.iterator() as messages:
            async for message in messages:
                job = json.loads(message.body)
                worker.enrich(job)
                await message.ack()
                print(job["id"], flush=True)


def main() -> None:
    """Work until killed."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the queue's name
        sys.exit(f"Usage: python -m benchmarks.{Path(__file__).stem} QUEUE")
    asyncio.run(work(DamSettings(), sys.argv[1]))


if __name__ == "__main__":
    main()
