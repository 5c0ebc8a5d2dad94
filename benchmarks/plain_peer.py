"""The plain worker seen from outside: its process, its bucket, and the pictures that it is given."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import aio_pika
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.plain_worker import PARQUET, SCHEMA
from benchmarks.upload_clients import File, Pace
from dam import keys
from dam.ids import new_id
from dam.settings import DamSettings
from dam.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aio_pika.abc import AbstractChannel

    from dam.store.port import ObjectStore
    from tests.services.radosgw import Radosgw

_QUEUE: Final = "plain"


@dataclass(frozen=True, slots=True)
class PlainPeer:
    """One running worker; its bucket and its queue are its own, at the same server and broker."""

    store: ObjectStore
    channel: AbstractChannel
    output: asyncio.StreamReader
    process: psutil.Process

    @classmethod
    @asynccontextmanager
    async def running(cls, radosgw: Radosgw, rows: int) -> AsyncIterator[Self]:
        """Start it beside a file of so many rows; killed in the end."""
        environment = radosgw.environment(radosgw.create_bucket())
        settings = DamSettings.model_validate(
            {**_lowered(environment), "queue_url": os.environ["DAM_QUEUE_URL"]}
        )
        async with AsyncExitStack() as stack:
            store = await open_store(settings)
            stack.push_async_callback(store.close)
            if rows:
                await store.put(PARQUET, _make_file(rows))
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.plain_worker", _QUEUE),
                # As the Bento has it: idle threads that spin take the processor from whatever else runs.
                env={**os.environ, **environment, "OMP_WAIT_POLICY": "PASSIVE"},
                stdout=asyncio.subprocess.PIPE,
            )
            stack.push_async_callback(process.wait)
            stack.callback(process.kill)
            if process.stdout is None or await process.stdout.readline() != b"ready\n":
                raise RuntimeError("The plain worker has not started.")
            connection = await aio_pika.connect(settings.queue_url.get_secret_value())
            channel = await (await stack.enter_async_context(connection)).channel()
            yield cls(store, channel, process.stdout, psutil.Process(process.pid))

    async def work_off(self, files: Sequence[File]) -> Pace:
        """Queue jobs for files that are in the bucket before the time starts, and wait for their rows."""
        bodies = [await self._store(file) for file in files]
        started, spent = time.perf_counter(), self._cpu_seconds()
        for body in bodies:
            message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await self.channel.default_exchange.publish(message, _QUEUE)
        for _ in bodies:
            if not await self.output.readline():
                raise RuntimeError("The plain worker has ended; its error stands above.")
        return Pace(len(files), time.perf_counter() - started, self._cpu_seconds() - spent)

    def _cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    async def _store(self, file: File) -> bytes:
        asset_id = new_id()
        key = keys.original(asset_id, "jpg")
        await self.store.put(key, b"".join(file), content_type="image/jpeg")
        return json.dumps({"id": asset_id, "key": key, "filename": "picture.jpg"}).encode()


def _lowered(environment: dict[str, str]) -> dict[str, str]:
    """Fields of the settings by their names."""
    return {
        name if name.endswith(("_ID", "_ACCESS_KEY")) else name.removeprefix("DAM_").lower(): value
        for name, value in environment.items()
    }


def _make_file(rows: int) -> bytes:
    rng = np.random.default_rng(1)
    ids = [new_id() for _ in range(rows)]
    columns = [
        ids,
        [f"IMG_{number:07}.jpg" for number in range(rows)],
        [keys.original(asset_id, "jpg") for asset_id in ids],
        [keys.vector(asset_id) for asset_id in ids],
        ["image/jpeg"] * rows,
        [" ".join(f"thing{number}" for number in words) for words in rng.integers(0, 2000, (rows, 6))],
    ]
    buffer = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], schema=SCHEMA), buffer
    )
    return buffer.getvalue()
