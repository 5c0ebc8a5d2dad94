"""Enriches one asset: original → thumbnails, caption, vector. Everything of it but the row is durable after.

Called by `settling`, many at once. It must never write a row or end a delivery.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dam import keys, memory
from dam.errors import InferenceError
from dam.pictures.counting import count_pixels
from dam.room import Room
from dam.vectors import MEDIA_TYPE, make_document
from orchestrator.deriving import Derived, derive
from orchestrator.errors import OriginalTooLargeError
from orchestrator.inference import Bento, Caption, Embedding, Sent
from orchestrator.originals import fetch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.jobs import EnrichJob
    from dam.store.port import ObjectStore
    from orchestrator.settings import OrchestratorSettings

_TRIM_FROM_BYTES: Final = 1024 * 1024
_TRIM_FROM_PIXELS: Final = 4_000_000  # a picture of one colour has few bytes and as many pixels as any


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What was made; None is what the job did not want."""

    derived: Derived
    caption: Caption | None
    embedding: Embedding | None


class Enricher:
    """Holds the bounds that all assets in flight share."""

    def __init__(self, store: ObjectStore, bento: Bento, settings: OrchestratorSettings) -> None:
        self._store = store
        self._bento = bento
        self._settings = settings
        self._bytes = Room(settings.bytes_in_flight)
        self._pixels = Room(settings.pixels_in_flight)

    async def enrich(self, job: EnrichJob) -> Enrichment:
        """Do what the job wants.

        Raises:
            PictureError, InferenceError, OriginalTooLargeError: for good.
            ObjectNotFoundError, OriginalChangedError, StoreUnavailableError, InferenceUnavailableError:
                for now.
        """
        if job.size_bytes > self._settings.max_bytes:
            raise OriginalTooLargeError(
                f"{job.filename} has {job.size_bytes:,} bytes; at most {self._settings.max_bytes:,} are read."
            )
        async with self._bytes.hold(job.size_bytes):
            enrichment = await self._enrich(job)
        pixels = enrichment.derived.width * enrichment.derived.height
        if job.size_bytes >= _TRIM_FROM_BYTES or pixels >= _TRIM_FROM_PIXELS:
            memory.trim()
        return enrichment

    async def _enrich(self, job: EnrichJob) -> Enrichment:
        async with fetch(self._store, job, memory_bytes=self._settings.bento_max_bytes) as original:
            derived = await self._derive(job, original)
            async with _together() as group:
                for size, webp in derived.thumbnails.items():
                    key = keys.thumbnail(job.asset_id, size)
                    group.create_task(self._store.put(key, webp, content_type="image/webp"))
                sent = _to_be_sent(job, original, derived)
                caption = group.create_task(self._bento.caption(sent)) if "caption" in job.wants else None
                embedding = group.create_task(self._embed(job, sent)) if "embedding" in job.wants else None
        return Enrichment(
            derived,
            caption.result() if caption is not None else None,
            embedding.result() if embedding is not None else None,
        )

    async def _derive(self, job: EnrichJob, original: bytes | Path) -> Derived:
        pixels = await asyncio.to_thread(count_pixels, original)
        async with self._pixels.hold(pixels):
            return await asyncio.to_thread(
                derive,
                original,
                max_pixels=self._settings.max_pixels,
                with_thumbnails="thumbnails" in job.wants,
                with_rendition=isinstance(original, Path),
            )

    async def _embed(self, job: EnrichJob, sent: Sent) -> Embedding:
        """The vector, stored: it must be durable before the row that names it."""
        embedding = await self._bento.embed(sent)
        body = make_document(job.asset_id, embedding.made_by, embedding.values)
        await self._store.put(keys.vector(job.asset_id), body, content_type=MEDIA_TYPE)
        return embedding


def _to_be_sent(job: EnrichJob, original: bytes | Path, derived: Derived) -> Sent:
    """What the models get: the original where it is light enough, else its rendition."""
    if isinstance(original, bytes):
        return Sent(original, job.mime_type)
    if derived.rendition is None:
        raise AssertionError("An original on disk always has a rendition.")
    return Sent(derived.rendition, "image/jpeg")


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises one plain error: the one that is for good, where there is one."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failures:
        for_good = [error for error in failures.exceptions if isinstance(error, InferenceError)]
        raise (for_good or failures.exceptions)[0] from None
