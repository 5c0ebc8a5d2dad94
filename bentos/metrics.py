"""What `/metrics` says about batching, beside BentoML's own counters.

Built by `engine` inside the worker: BentoML must have set up its folder for several processes before
`prometheus_client` is imported, so nothing here may be imported by the supervisor.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge, Histogram

_SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class PrometheusRecorder:
    """Records batches as Prometheus histograms; made once a process."""

    def __init__(self) -> None:
        self._size = Histogram("dam_batch_size", "Items that ran together.", ["lane"], buckets=_SIZES)
        self._inference = Histogram("dam_inference_seconds", "Time of one batch.", ["lane"], buckets=_SECONDS)
        self._wait = Histogram(
            "dam_queue_wait_seconds", "From prepared to batched, an item.", ["lane"], buckets=_SECONDS
        )
        self._depth = Gauge(
            "dam_queue_depth", "Prepared items waiting.", ["lane"], multiprocess_mode="livesum"
        )

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
