"""The job-queue port and its two adapters: SQLite in one file, and RabbitMQ or LavinMQ over AMQP.

`open_queue` picks the adapter by `queue_url`. Callers use `JobQueue` and `Delivery` alone.
"""

from dam.queue.opening import open_queue
from dam.queue.port import Delivery, JobQueue, QueueDepth

__all__ = ["Delivery", "JobQueue", "QueueDepth", "open_queue"]
