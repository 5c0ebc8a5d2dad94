"""What `/metrics` says: requests by route and status, and how they were batched.

Made by `app`, told by it and, through `engine`, by the lanes. BentoML's own counters are off: they keep a
series for every path that anyone asks for, and their files are shared by all services of one user.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one app, in a registry of its own, so that two in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        kept: dict[str, Any] = {"registry": self._registry}
        self._requests = Counter("dam_bento_requests", "Answers.", ["route", "status"], **kept)
        self._seconds = Histogram(
            "dam_bento_request_seconds", "Time of an answer.", ["route"], buckets=_SECONDS, **kept
        )
        self._size = Histogram("dam_batch_size", "Items that ran together.", ["lane"], buckets=_SIZES, **kept)
        self._inference = Histogram(
            "dam_inference_seconds", "Time of one batch.", ["lane"], buckets=_SECONDS, **kept
        )
        self._wait = Histogram(
            "dam_queue_wait_seconds", "From prepared to batched, an item.", ["lane"], buckets=_SECONDS, **kept
        )
        self._depth = Gauge("dam_queue_depth", "Prepared items waiting.", ["lane"], **kept)
        ProcessCollector(registry=self._registry)

    def render(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self._registry)

    def request(self, route: str, status: int, seconds: float) -> None:
        """One request was answered; `route` is one of ours, so that the series stay few."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, lane: str, size: int, seconds: float) -> None:
        """One batch has run."""
        self._size.labels(lane).observe(size)
        self._inference.labels(lane).observe(seconds)

    def waited(self, lane: str, seconds: float) -> None:
        """One item leaves the queue for a batch."""
        self._wait.labels(lane).observe(seconds)

    def depth(self, lane: str, items: int) -> None:
        """So many items are waiting now."""
        self._depth.labels(lane).set(items)


class CountRequests:
    """ASGI middleware that tells `Metrics` of every answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note the status; without one, the framework is about to answer 500."""
        started, status = perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "") or "other"  # BentoML's mount has the path ""
            self._metrics.request(route, status, perf_counter() - started)
