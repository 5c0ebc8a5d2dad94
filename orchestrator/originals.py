"""Fetches an original to work on, and makes sure that it is what was uploaded.

Called by `enriching`. What is sent to the models as it is comes into memory; what is larger goes to a
temporary file, since nothing but the decoder reads it. It must never hand on other bytes than the job's.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import OriginalChangedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import IO

    from dam.jobs import EnrichJob
    from dam.store.port import ObjectStore


@asynccontextmanager
async def fetch(store: ObjectStore, job: EnrichJob, *, memory_bytes: int) -> AsyncIterator[bytes | Path]:
    """The original while the context is open: its bytes up to `memory_bytes`, else a file with them.

    Raises:
        ObjectNotFoundError, StoreUnavailableError: it cannot be read.
        OriginalChangedError: it is not what was uploaded.
    """
    if job.size_bytes <= memory_bytes:
        data = (await store.get(job.key)).data
        _check(job, len(data), await asyncio.to_thread(_hash, data))
        yield data
        return
    with tempfile.NamedTemporaryFile(prefix="dam-original-") as file:
        _check(job, *await _download(store, job, file))
        yield Path(file.name)


async def _download(store: ObjectStore, job: EnrichJob, file: IO[bytes]) -> tuple[int, str]:
    """Write the object to `file`; its size and SHA-256. It stops at the first byte too many."""
    size, digest = 0, hashlib.sha256()
    async for chunk in store.stream(job.key, end=job.size_bytes + 1):
        size += len(chunk)
        await asyncio.to_thread(_keep, chunk, file, digest.update)
    await asyncio.to_thread(file.flush)
    return size, digest.hexdigest()


def _keep(chunk: bytes, file: IO[bytes], digest: Callable[[bytes], None]) -> None:
    file.write(chunk)
    digest(chunk)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _check(job: EnrichJob, size: int, sha256: str) -> None:
    if (size, sha256) != (job.size_bytes, job.sha256):
        raise OriginalChangedError(
            f"What lies at {job.key} ({size:,} bytes) is not what was uploaded as {job.filename} "
            f"({job.size_bytes:,} bytes): size or SHA-256 differ. Upload it again."
        )
