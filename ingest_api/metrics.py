"""What this service counts, in a registry of its own, so that two apps in one process do not mix."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.files = Counter(
            "dam_uploads",
            "Files by outcome: accepted, duplicate, or the code of the refusal.",
            ["outcome"],
            registry=self.registry,
        )
        self.bytes = Counter(
            "dam_upload_bytes", "Bytes of the files that were stored.", registry=self.registry
        )
        self.seconds = Histogram(
            "dam_upload_seconds",
            "From a file's first byte to its outcome.",
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300),
            registry=self.registry,
        )
        self.receiving = Gauge(
            "dam_uploads_receiving", "Requests whose body is being received.", registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def render(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)
