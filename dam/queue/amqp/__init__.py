"""The job queue on RabbitMQ or LavinMQ, over AMQP 0-9-1."""

from dam.queue.amqp.queue import AmqpQueue

__all__ = ["AmqpQueue"]
