"""A Bento over real HTTP whose vectors are bags of words: texts and pictures that share words are near."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import BodyPartReader, web

from dam import routes

DIM = 64
MODEL = "bag@1"


def embed(text: str) -> list[float]:
    """A vector of length 1: the sum of one direction for each word."""
    total = np.zeros(DIM)
    for word in text.lower().split():
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        total += np.random.default_rng(seed).standard_normal(DIM)
    length = float(np.linalg.norm(total))
    return [float(value) for value in (total / length if length else np.eye(1, DIM)[0])]


@dataclass
class TextBento:
    """`pictures` says what is seen in which bytes; `model` names its maker.

    `down` makes it answer 503, `hanging` not at all.
    """

    pictures: dict[bytes, str] = field(default_factory=dict)
    down: bool = False
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    model: str = MODEL
    asked: list[str] = field(default_factory=list)
    received: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes([web.post(routes.EMBED, self._embed), web.get(routes.MODELS, self._models)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse connections from here on."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _embed(self, request: web.Request) -> web.Response:
        self.received += 1
        text = await self._read(request)
        while self.hanging.is_set():  # noqa: ASYNC110 - until the client goes, or it is cleared
            await asyncio.sleep(0.02)
        if self.down:
            return web.json_response({"status": 503, "code": "overloaded", "detail": "No."}, status=503)
        if text is None:
            problem = {"status": 422, "code": "truncated", "detail": "The picture breaks off."}
            return web.json_response(problem, status=422)
        self.asked.append(text)
        name, _, revision = self.model.partition("@")
        answer: dict[str, Any] = {"embedding": embed(text), "dim": DIM, "model": name, "revision": revision}
        return web.json_response(answer)

    async def _read(self, request: web.Request) -> str | None:
        if request.content_type == "application/json":
            return str((await request.json())["text"])
        part = await (await request.multipart()).next()
        assert isinstance(part, BodyPartReader)
        return self.pictures.get(bytes(await part.read()))

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"model_set": "bag", "notice": "These models know only words."})
