"""The SQLite file: its schema, its one connection in one thread, and durable transactions.

Used by `dam.queue.sqlite` alone. It knows nothing of leases or deliveries, and it never runs SQL on the event
loop's thread.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from dam.errors import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Operation = Callable[[sqlite3.Connection], object]

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
BUSY_TIMEOUT_S: Final = 5.0
BATCH: Final = 256
"""Most operations in one transaction: many publishers at once share one fsync."""

# `due_at` is wall-clock time (it outlives the process and the boot); `delay_s` is kept beside it so that a
# clock that steps back can be noticed: nothing was ever put here in the future.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL CHECK (state IN ('jobs', 'dead', 'parked')),
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    redeliveries INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    due_at REAL NOT NULL DEFAULT 0,
    delay_s REAL NOT NULL DEFAULT 0,
    owner TEXT
);
CREATE INDEX IF NOT EXISTS waiting ON messages (state, due_at, id) WHERE owner IS NULL;
CREATE INDEX IF NOT EXISTS leased ON messages (owner) WHERE owner IS NOT NULL;
CREATE TABLE IF NOT EXISTS consumers (owner TEXT PRIMARY KEY, beat INTEGER NOT NULL) WITHOUT ROWID;
"""


class _Waiting(NamedTuple):
    operation: Operation
    result: asyncio.Future[object]


class QueueFile:
    """One open queue file. Operations are functions of the connection and run in the file's own thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="queue-file")
        self._connection: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._waiting: deque[_Waiting] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> None:
        """Open the file; it is made, with its folder, when it is not there."""
        await self._in_thread(self._guarded, self._connect)

    async def write(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run `operation` in a transaction, shared with others that wait; when this returns it is on disk.

        Raises:
            QueueUnavailableError: nothing was written: the disk is full, the file is locked or unreadable.
        """
        if self._closed:
            raise QueueUnavailableError(f"The queue file {self.path} has been closed by this process.")
        result: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(operation, result))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return await result  # type: ignore[return-value]  # the future of this very operation

    async def read(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Run `operation`, which only reads, outside any transaction."""
        if self._closed:
            raise QueueUnavailableError(f"The queue file {self.path} has been closed by this process.")
        return await self._in_thread(self._guarded, lambda: operation(self._current()))

    async def close(self) -> None:
        """Finish what was begun, then close."""
        self._closed = True
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
        await self._in_thread(self._disconnect)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            # Not cancelled with its callers: what has begun is finished, and whoever still waits is told.
            outcomes = await self._in_thread(self._transact, [item.operation for item in batch])
            for item, outcome in zip(batch, outcomes, strict=True):
                if item.result.done():
                    continue
                if isinstance(outcome, BaseException):
                    item.result.set_exception(outcome)
                else:
                    item.result.set_result(outcome)

    def _transact(self, operations: list[Operation]) -> list[object]:
        """All operations in one transaction, or each in its own where one of them does not fit."""
        try:
            return self._guarded(self._commit, operations)
        except QueueUnavailableError as error:
            code = getattr(error.__cause__, "sqlite_errorcode", None)
            if len(operations) > 1 and code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_TOOBIG}:
                # Deleting needs less room than inserting: one full disk must not fail its neighbours.
                return [outcome for operation in operations for outcome in self._transact([operation])]
            return [error] * len(operations)
        except Exception as error:  # noqa: BLE001 - handed to every caller that waits
            return [error] * len(operations)

    def _commit(self, operations: list[Operation]) -> list[object]:
        connection = self._current()
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [operation(connection) for operation in operations]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    def _current(self) -> sqlite3.Connection:
        """The connection, to the file that has the name now: a deleted file would swallow jobs silently."""
        if self._connection is None or self._identity() != self._inode:
            self._disconnect()
            return self._connect()
        return self._connection

    def _identity(self) -> tuple[int, int]:
        try:
            status = os.stat(self.path)  # noqa: PTH116 - a tenth of Path.stat's cost, in every transaction
        except FileNotFoundError:
            return (0, 0)
        return (status.st_dev, status.st_ino)

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, self._identity()
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table, or never
        _enter_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise QueueUnavailableError(
                f"The queue file {self.path} was made by a newer version (schema {version}); upgrade."
            )
        if version < SCHEMA_VERSION:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _guarded(self, function: Callable[..., T], *arguments: object) -> T:
        """Run in the thread, with SQLite's errors told as ours."""
        try:
            return function(*arguments)
        except (sqlite3.Error, OSError) as error:
            raise QueueUnavailableError(
                f"The queue file {self.path} cannot be used: {error}. {_advice(error)}"
            ) from error


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait by itself when two processes do it at once."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _advice(error: Exception) -> str:
    match getattr(error, "sqlite_errorcode", None):
        case sqlite3.SQLITE_FULL:
            return "Free some disk space; nothing that was accepted is lost."
        case sqlite3.SQLITE_BUSY:
            return "Another process has kept it locked for too long."
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return "It is not a whole queue file: move it away, restart, then run `dam reconcile`."
        case _:
            return "Check DAM_QUEUE_URL and the rights on its folder."
