"""The orchestrator's numbers, in a registry of its own. Served by `health`; it must never know why."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Built once in the entry point and passed down."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.endings = Counter(
            "dam_orchestrator_deliveries",
            "Deliveries by how they ended",
            ["ending"],
            registry=self._registry,
        )
        self.in_flight = Gauge("dam_orchestrator_in_flight", "Jobs in hand", registry=self._registry)
        self.seconds = Histogram(
            "dam_orchestrator_job_seconds",
            "From delivery to ending",
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100),
            registry=self._registry,
        )
        self.backlog = Gauge(
            "dam_queue_messages", "Messages of the whole queue", ["state"], registry=self._registry
        )
        self.backlog_seen = Gauge(
            "dam_queue_seen_timestamp_seconds", "When the queue was last looked at", registry=self._registry
        )

    def render(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self._registry)
