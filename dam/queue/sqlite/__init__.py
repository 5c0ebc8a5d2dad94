"""The embedded job queue: one SQLite file, shared by every process of one machine."""

from dam.queue.sqlite.queue import SqliteQueue

__all__ = ["SqliteQueue"]
