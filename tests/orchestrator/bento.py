"""A Bento over real HTTP that answers, refuses, hangs or lies as a test tells it to."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from dam import routes

if TYPE_CHECKING:
    from collections.abc import Callable

DIM = 8


def embed(data: bytes) -> list[float]:
    """A vector of length 1 that depends on every byte."""
    raw = [byte - 127.5 for byte in hashlib.sha256(data).digest()[:DIM]]
    length = math.hypot(*raw)
    return [value / length for value in raw]


def caption(data: bytes) -> str:
    """A caption that depends on every byte."""
    return f"picture {hashlib.sha256(data).hexdigest()[:8]}"


@dataclass
class FakeBento:
    """`answer_as` is the mode for all pictures, `faults` that of single ones by their bytes.

    Modes: `ok`, a status as text (`"503"`), `busy` (429 with Retry-After), `hang`, `drop` (the connection
    breaks), `crash` (it dies with every request in flight, and is back a moment later), `no_json`, and the
    names of `_LIES`.
    """

    answer_as: str = "ok"
    ready: bool = True
    faults: dict[bytes, str] = field(default_factory=dict)
    asked: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    most_in_flight: int = 0
    delay_s: float = 0.0
    busy_answers: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None
    _open: list[web.Request] = field(default_factory=list)

    @property
    def in_flight(self) -> int:
        """Requests that it works on now."""
        return len(self._open)

    @property
    def url(self) -> str:
        """Base URL; the same after a restart."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the port of the last time where there was one."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.post(routes.CAPTION, self._caption),
                web.post(routes.EMBED, self._embed),
                web.get(routes.READY, self._ready),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse connections from here on; those that are open break."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def _caption(self, request: web.Request) -> web.StreamResponse:
        def answer(data: bytes) -> dict[str, Any]:
            return {"caption": caption(data), "model": "tiny-blip", "revision": "r1"}

        return await self._answer(request, answer)

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        def answer(data: bytes) -> dict[str, Any]:
            return {"embedding": embed(data), "dim": DIM, "model": "tiny-clip", "revision": "r2"}

        return await self._answer(request, answer)

    async def _answer(
        self, request: web.Request, make: Callable[[bytes], dict[str, Any]]
    ) -> web.StreamResponse:
        part = await (await request.multipart()).next()
        assert isinstance(part, BodyPartReader)
        assert part.name == "image"
        data = bytes(await part.read())
        self.asked[request.path, data] += 1
        self._open.append(request)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.delay_s)
            return await self._behave(request, self.faults.get(data, self.answer_as), make(data))
        finally:
            self._open.remove(request)

    def _break(self, *requests: web.Request) -> None:
        for request in requests:
            if request.transport:
                request.transport.abort()

    async def _behave(self, request: web.Request, mode: str, answer: dict[str, Any]) -> web.StreamResponse:
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode == "crash":
            self._break(*self._open)
        if mode == "drop":
            self._break(request)
        if mode == "busy" or self.busy_answers > 0:
            self.busy_answers -= 1
            return web.Response(status=429, headers={"Retry-After": "0.01"})
        if mode == "no_json":
            return web.Response(text="<html>It works!</html>")
        if mode.isdigit():
            problem = {"type": "about:blank", "status": int(mode), "code": f"code_{mode}", "detail": "No."}
            return web.json_response(problem, status=int(mode), content_type="application/problem+json")
        return web.json_response(_LIES[mode](answer))


def _change(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda answer: {**answer, **fields}


_LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ok": lambda answer: answer,
    "wrong_dim": _change(dim=DIM + 1),
    "no_vector": _change(embedding=None),
    "words": _change(embedding=["x"] * DIM),
    "too_long": _change(embedding=[1.0] * DIM),
    "no_model": _change(model=None),
    "no_caption": _change(caption=None),
    "list": lambda answer: [answer],
}
