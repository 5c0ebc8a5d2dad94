"""The engine: the models of one set, a lane for each kind of work, and the threads they run on.

Made by `service` inside the worker process, called by `app`. It imports torch, so the supervisor must not
import it. All inference goes through here; nothing here knows HTTP.
"""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
import torch
from transformers.utils import logging as transformers_logging

from bentos.batching import Lane, Limits
from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from bentos.sample import SAMPLE_TEXT, sample_png
from dam import memory
from dam.errors import SettingsError
from dam.pictures.counting import count_pixels
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from PIL import Image

    from bentos.batching import Recorder
    from bentos.modelsets import LocatedSet
    from bentos.settings import BentoSettings

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)
_LARGE_PIXELS: Final = 12_000_000
"""Pictures above it are decoded one after the other: two of the largest would take gigabytes."""
_LANES: Final = ("caption", "embed_image", "embed_text")


@dataclass(frozen=True, slots=True)
class Samples:
    """What the loaded models answer to the sample picture and text; the API's examples quote it."""

    caption: str
    image_embedding: list[float]
    text_embedding: list[float]


class Engine:
    """Captions and vectors for bytes and texts, in batches. `start` and `close` it on the event loop."""

    samples: Samples  # there once it is started

    def __init__(self, settings: BentoSettings, recorder: Recorder) -> None:
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it has no types
        located = locate(settings.model_set, settings.models_dir)
        self.models = located.description
        self._captioner, self._embedder = _load(located, bfloat16=settings.caption_bfloat16)
        self._max_pixels = settings.max_pixels
        self._large = threading.Lock()
        self._threads = settings.torch_threads or len(os.sched_getaffinity(0))
        self._preparers = self._executor("prepare", self._threads)
        # A thread each: an embedding must not wait behind a caption, which takes ten times as long.
        self._workers = {name: self._executor(name, 1) for name in _LANES}
        shared: dict[str, Any] = {"preparers": self._preparers, "recorder": recorder}
        self._captions = Lane(
            "caption",
            self._captioner.caption,
            _limits(settings, "caption"),
            worker=self._workers["caption"],
            **shared,
        )
        self._images = Lane(
            "embed_image",
            self._embedder.embed_images,
            _limits(settings, "image"),
            worker=self._workers["embed_image"],
            **shared,
        )
        self._texts = Lane(
            "embed_text",
            self._embedder.embed_texts,
            _limits(settings, "text"),
            worker=self._workers["embed_text"],
            **shared,
        )
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Run the lanes, and every model once: the first request finds them warm, and broken weights show."""
        lanes = (self._captions, self._images, self._texts)
        self._running = [asyncio.create_task(lane.run(), name=lane.name) for lane in lanes]
        picture = sample_png()
        caption, vector = await self.caption(picture), await self.embed_image(picture)
        self.samples = Samples(caption, vector, await self.embed_text(SAMPLE_TEXT))
        if len(vector) != self.models.embedding.dim:
            raise SettingsError(
                f"The model set {self.models.name!r} says its vectors have {self.models.embedding.dim} "
                f"numbers, but its model makes {len(vector)}: correct its model_set.json."
            )

    async def close(self) -> None:
        """Answer what was admitted, then stop."""
        for lane in (self._captions, self._images, self._texts):
            lane.close()
        await asyncio.gather(*self._running)
        for executor in (self._preparers, *self._workers.values()):
            executor.shutdown(wait=False)

    def admit_caption(self) -> AbstractContextManager[None]:
        """A place for a caption; see `Lane.admit`."""
        return self._captions.admit()

    def admit_image(self) -> AbstractContextManager[None]:
        """A place for the embedding of a picture."""
        return self._images.admit()

    def admit_text(self) -> AbstractContextManager[None]:
        """A place for the embedding of a text."""
        return self._texts.admit()

    async def caption(self, picture: bytes) -> str:
        """One sentence. Raises PictureError, OverloadedError."""
        return await self._captions.ask(lambda: self._prepare(picture, self._captioner.prepare))

    async def embed_image(self, picture: bytes) -> list[float]:
        """A vector of length 1. Raises PictureError, OverloadedError."""
        return await self._images.ask(lambda: self._prepare(picture, self._embedder.prepare_image))

    async def embed_text(self, text: str) -> list[float]:
        """A vector of length 1. Raises OverloadedError."""
        return await self._texts.ask(lambda: self._embedder.prepare_text(text))

    def _prepare(self, picture: bytes, prepare: Callable[[Image.Image], Result]) -> Result:
        """Decode and make what the model reads; runs in a thread. Raises PictureError."""
        is_large = count_pixels(picture) > _LARGE_PIXELS
        with self._large if is_large else nullcontext():
            try:
                return prepare(decode(picture, max_pixels=self._max_pixels))
            finally:
                if is_large:
                    memory.trim()

    def _executor(self, name: str, threads: int) -> ThreadPoolExecutor:
        """A pool; torch counts its threads per thread, so each of ours is told."""
        return ThreadPoolExecutor(
            threads, thread_name_prefix=name, initializer=torch.set_num_threads, initargs=(self._threads,)
        )


def _load(located: LocatedSet, *, bfloat16: bool) -> tuple[Captioner, Embedder]:
    """Both models. Raises SettingsError, with the folder: nothing else is tried."""
    name = located.description.name
    try:
        models = Captioner(located.captioner, bfloat16=bfloat16), Embedder(located.embedder)
    except Exception as error:  # the libraries raise nearly anything on damaged files
        raise SettingsError(
            f"The model set {name!r} cannot be loaded from {located.captioner} and {located.embedder}: "
            f"{error}"
        ) from error
    _log.info("models.loaded", model_set=name, notice=located.description.notice)
    return models


def _limits(settings: BentoSettings, kind: str) -> Limits:
    return Limits(
        max_batch=getattr(settings, f"{kind}_max_batch"),
        max_wait_s=getattr(settings, f"{kind}_max_wait_ms") / 1000,
        max_requests=getattr(settings, f"{kind}_max_requests"),
        queue_timeout_s=settings.queue_timeout_s,
    )
