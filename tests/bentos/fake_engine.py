"""An engine without models, for tests of the HTTP side: it answers at once, fails, or never answers."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from bentos.modelsets import EmbedderInfo, ModelInfo, ModelSet

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bentos.engine import Engine


@dataclass(frozen=True)
class FakeSamples:
    """What `engine.Samples` holds."""

    caption: str = "a red disc"
    image_embedding: list[float] = field(default_factory=lambda: [1.0, 0.0])
    text_embedding: list[float] = field(default_factory=lambda: [0.0, 1.0])


class FakeEngine:
    """Answers every picture and text alike. `error` is raised instead; `hang` waits until it is cancelled."""

    def __init__(self, error: Exception | None = None, *, hang: bool = False) -> None:
        self.models = ModelSet(
            name="fake",
            caption=ModelInfo(model="fake-blip", revision="r1"),
            embedding=EmbedderInfo(model="fake-clip", revision="r2", dim=2),
        )
        self.samples = FakeSamples()
        self.asked = asyncio.Event()
        self.cancelled = 0
        self._error = error
        self._hang = hang

    def as_engine(self) -> Engine:
        """Itself, as what it stands for."""
        return cast("Engine", self)

    def admit_caption(self) -> AbstractContextManager[None]:
        """There is always room."""
        return nullcontext()

    admit_image = admit_text = admit_caption

    async def caption(self, _picture: bytes) -> str:
        """One sentence."""
        await self._behave()
        return self.samples.caption

    async def embed_image(self, _picture: bytes) -> list[float]:
        """One vector."""
        await self._behave()
        return self.samples.image_embedding

    async def embed_text(self, _text: str) -> list[float]:
        """One vector."""
        await self._behave()
        return self.samples.text_embedding

    async def _behave(self) -> None:
        self.asked.set()
        if self._error:
            raise self._error
        if self._hang:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
