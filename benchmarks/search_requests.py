"""The requests that `search` makes, one after the other, and how long each kind takes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.search_service import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import aiohttp

SEARCH: Final = "/api/search"
ASSETS: Final = "/api/assets"
TIMELINE: Final = "/api/timeline"
NEAREST: Final = 10
_WARM_UP: Final = 10
_SHOWN: Final = 50
_CALLS = tuple[str, dict[str, Any]]
_LOOPS: Final = 20
_TURNS: Final = 40_000


@dataclass(frozen=True, slots=True)
class Sought:
    """One query: an asset's words, the asset itself, and the truth about which assets are nearest."""

    words: str
    asset_id: str
    nearest: frozenset[str]


@dataclass
class Requests:
    """A client of the gallery, and the queries that it is asked."""

    client: aiohttp.ClientSession
    queries: Sequence[Sought]
    recalls: list[float] = field(default_factory=list)
    loops_ms: list[float] = field(default_factory=list)
    """A fixed piece of work, beside each kind of request: how quick the machine is just then."""

    async def measure(self) -> dict[str, Any]:
        """Percentiles by kind of request, and the recall of searches by meaning."""
        kinds: Mapping[str, list[_CALLS]] = {
            "search_semantic": [self._search(q=query.words, mode="semantic") for query in self.queries],
            "search_hybrid": [self._search(q=query.words) for query in self.queries],
            "search_text": [self._search(q=query.words, mode="text") for query in self.queries],
            "search_like": [self._search(like=query.asset_id) for query in self.queries],
            "search_filtered": [
                self._search(q=query.words, tag=f"tag{at}", mime="image/jpeg")
                for at, query in enumerate(self.queries)
            ],
            "assets_page": [(ASSETS, {})] * len(self.queries),
            "assets_page_filtered": [
                (ASSETS, {"tag": f"tag{at}", "orientation": "portrait"}) for at in range(len(self.queries))
            ],
            "timeline": [(TIMELINE, {})] * len(self.queries),
        }
        figures = {name: await self._percentiles(name, calls) for name, calls in kinds.items()}
        return {
            "recall_at_10": round(float(np.mean(self.recalls)), 4),
            "fixed_loop_ms": round(float(np.median(self.loops_ms)), 2),
            **figures,
        }

    def _search(self, **params: Any) -> _CALLS:
        return SEARCH, {"limit": _SHOWN, **params}

    async def _percentiles(self, name: str, calls: Sequence[_CALLS]) -> dict[str, float]:
        for path, params in calls[:_WARM_UP]:
            await ask(self.client, path, params)
        self.loops_ms += [_time_loop() for _ in range(_LOOPS)]
        times = []
        for (path, params), query in zip(calls, self.queries, strict=True):
            started = time.perf_counter()
            body = await ask(self.client, path, params)
            took_ms = (time.perf_counter() - started) * 1000
            answer = json.loads(body)
            times.append(took_ms - answer.get("embed_ms", 0.0))
            if name == "search_semantic":
                found = {item["asset"]["id"] for item in answer["items"][:NEAREST]}
                self.recalls.append(len(query.nearest & found) / NEAREST)
        p50, p95 = np.percentile(times, (50, 95))
        return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


def _time_loop() -> float:
    started = time.perf_counter()
    total = 0
    for number in range(_TURNS):
        total += number * number
    return (time.perf_counter() - started) * 1000
