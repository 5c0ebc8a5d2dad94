"""Calls to a running Bento, one or many at a time, and what its metrics say of them.

Used by `batching`, and by the benchmarks that compare a service with something else.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx
import psutil
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.bare_model import Cost
from dam import routes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_TIMEOUT_S = 300
_KEEPALIVE_S = 2.0
"""Shorter than uvicorn's 5: a side that waits for its turn would send on a connection just closed."""


def photograph(seed: int, width: int = 1024, height: int = 768) -> bytes:
    """A JPEG of a photograph's size, each with a content of its own."""
    noise = Image.effect_noise((width // 4, height // 4), 60 + seed % 40).resize((width, height))
    tint = Image.new("RGB", (width, height), (seed * 53 % 256, seed * 97 % 256, seed * 193 % 256))
    buffer = io.BytesIO()
    Image.blend(noise.convert("RGB"), tint, 0.4).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@dataclass(frozen=True)
class Call:
    """A request made beforehand: while it is timed, the client only sends it."""

    route: str
    content: bytes
    content_type: str

    @classmethod
    def of_picture(cls, route: str, picture: bytes) -> Self:
        """One picture to a route of the Bento."""
        made = httpx.Request("POST", "http://bento" + route, files={"image": ("photo.jpg", picture)})
        return cls(route, made.read(), made.headers["content-type"])


class Load:
    """One HTTP client with as many connections as it is asked for."""

    def __init__(self, url: str, pid: int) -> None:
        self._service = psutil.Process(pid)
        limits = httpx.Limits(max_keepalive_connections=64, keepalive_expiry=_KEEPALIVE_S)
        self._client = httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def post(self, route: str, picture: bytes) -> httpx.Response:
        """One picture to one route."""
        return await self._client.post(route, files={"image": ("photo.jpg", picture)})

    async def post_text(self, text: str) -> httpx.Response:
        """One text to `/embed`."""
        return await self._client.post(routes.EMBED, json={"text": text})

    async def answer_all(self, calls: Sequence[Call], clients: int) -> Cost:
        """All of these calls by so many clients, each taking the next one once it is answered.

        The processor time is the service's. Raises HTTPStatusError on any refusal.
        """
        waiting = iter(calls)

        async def client() -> None:
            for call in waiting:
                headers = {"content-type": call.content_type}
                answer = await self._client.post(call.route, content=call.content, headers=headers)
                answer.raise_for_status()

        spent, started = self.cpu_seconds(), time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        return Cost(time.perf_counter() - started, self.cpu_seconds() - spent)

    async def time_embed(self, picture: bytes) -> Cost:
        """One lone `/embed`; its processor time is the service's."""
        before = self.cpu_seconds()
        started = time.perf_counter()
        answer = await self.post(routes.EMBED, picture)
        wall = time.perf_counter() - started
        answer.raise_for_status()
        return Cost(wall, self.cpu_seconds() - before)

    async def together(self, route: str, pictures: Sequence[bytes]) -> list[httpx.Response]:
        """All at once, each in its own request."""
        return list(await asyncio.gather(*(self.post(route, picture) for picture in pictures)))

    async def keep_busy(
        self, route: str, pictures: Sequence[bytes], clients: int, seconds: float
    ) -> dict[str, Any]:
        """So many clients, each asking again once it is answered; returns when all are answered."""
        statuses: Counter[int] = Counter()
        times: list[float] = []
        spent = self.cpu_seconds()
        started = time.perf_counter()

        async def client(number: int) -> None:
            while time.perf_counter() - started < seconds:
                picture = pictures[(number + sum(statuses.values())) % len(pictures)]
                asked = time.perf_counter()
                answer = await self.post(route, picture)
                times.append(time.perf_counter() - asked)
                statuses[answer.status_code] += 1

        await asyncio.gather(*(client(number) for number in range(clients)))
        elapsed = time.perf_counter() - started
        spent = self.cpu_seconds() - spent
        times.sort()
        return {
            "clients": clients,
            "per_second": round(statuses[200] / elapsed, 2),
            "cpu_ms_per_picture": round(spent / max(statuses[200], 1) * 1000, 1),
            "p50_ms": round(times[len(times) // 2] * 1000, 1),
            "p95_ms": round(times[int(len(times) * 0.95)] * 1000, 1),
            "statuses": dict(statuses),
        }

    def cpu_seconds(self) -> float:
        """What the service's processes have used of the processor since they were started."""
        times = [process.cpu_times() for process in (self._service, *self._service.children())]
        return sum(each.user + each.system for each in times)

    async def batches(self) -> dict[str, Counter[float]]:
        """How many batches each lane has run, by the histogram's bounds of their size."""
        text = (await self._client.get(routes.METRICS)).text
        lanes: dict[str, Counter[float]] = {}
        for family in text_string_to_metric_families(text):
            below: dict[str, float] = {}
            for sample in family.samples:
                if sample.name != "dam_batch_size_bucket":
                    continue
                lane, bound = sample.labels["lane"], float(sample.labels["le"])
                count = sample.value - below.get(lane, 0)
                below[lane] = sample.value
                lanes.setdefault(lane, Counter())[bound] += int(count)
        return lanes
