"""The SQL of messages and leases: plain functions of a connection, run by `QueueFile`.

A lease has no clock. Its owner raises a counter (`consumers.beat`) while it lives; another process that saw
the counter stand still for `EXPIRY_TICKS` looks of its own takes the messages back. Steps of the wall clock,
a suspended machine or a stopped observer therefore never end a lease that is alive.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from dam.queue.port import QueueDepth

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

State = Literal["jobs", "dead", "parked"]

EXPIRY_TICKS: Final = 5
"""Looks without a heartbeat until a lease has expired."""

_VACUUM_PAGES: Final = 256

_STRANDED: Final = "FROM messages WHERE owner IS NULL AND due_at > ? AND due_at - delay_s > ?"


class Claimed(NamedTuple):
    """One message that its claimer now holds."""

    id: int
    body: bytes
    attempts: int
    redeliveries: int
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """What an ending makes of a message that goes on living."""

    state: State
    attempts: int
    reason: str
    delay_s: float = 0


def add(connection: sqlite3.Connection, body: bytes) -> None:
    """A new job."""
    connection.execute("INSERT INTO messages (state, body) VALUES ('jobs', ?)", (body,))


def any_due(connection: sqlite3.Connection, state: State) -> bool:
    """Whether a claim would find something now; only reads."""
    query = "SELECT 1 FROM messages WHERE state = ? AND owner IS NULL AND due_at <= ? LIMIT 1"
    return connection.execute(query, (state, time.time())).fetchone() is not None


def beat(connection: sqlite3.Connection, owner: str) -> bool:
    """Raise the owner's counter; False where others have declared it dead."""
    return bool(connection.execute("UPDATE consumers SET beat = beat + 1 WHERE owner = ?", (owner,)).rowcount)


def beat_while_holding(connection: sqlite3.Connection, owner: str) -> None:
    """Raise the owner's counter if it matters; an idle process writes nothing."""
    if connection.execute("SELECT 1 FROM messages WHERE owner = ? LIMIT 1", (owner,)).fetchone():
        beat(connection, owner)


def register(connection: sqlite3.Connection, owner: str) -> None:
    """A new owner, alive."""
    connection.execute("INSERT INTO consumers (owner, beat) VALUES (?, 0)", (owner,))


def claim(connection: sqlite3.Connection, state: State, owner: str, limit: int) -> list[Claimed]:
    """Lease up to `limit` messages that are due, the longest waiting first."""
    rows = connection.execute(
        "UPDATE messages SET owner = ? WHERE id IN ("
        "SELECT id FROM messages "
        "WHERE state = ? AND owner IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?"
        ") RETURNING id, body, attempts, redeliveries, reason",
        (owner, state, time.time(), limit),
    ).fetchall()
    return sorted(Claimed(*row) for row in rows)


def delete(connection: sqlite3.Connection, message: int, owner: str) -> bool:
    """Forget it; False where the lease was lost."""
    query = "DELETE FROM messages WHERE id = ? AND owner = ?"
    return bool(connection.execute(query, (message, owner)).rowcount)


def move(connection: sqlite3.Connection, message: int, owner: str, to: Move) -> bool:
    """Give it back changed; False where the lease was lost."""
    due_at = time.time() + to.delay_s if to.delay_s else 0
    query = (
        "UPDATE messages SET state = ?, attempts = ?, reason = ?, due_at = ?, delay_s = ?, owner = NULL "
        "WHERE id = ? AND owner = ?"
    )
    values = (to.state, to.attempts, to.reason, due_at, to.delay_s, message, owner)
    return bool(connection.execute(query, values).rowcount)


def abandon(connection: sqlite3.Connection, messages: Sequence[tuple[int, str]]) -> None:
    """Give back what had no ending: (message, owner) pairs, each redelivered once more."""
    query = "UPDATE messages SET owner = NULL, redeliveries = redeliveries + 1 WHERE id = ? AND owner = ?"
    connection.executemany(query, messages)


def leave(connection: sqlite3.Connection, owner: str) -> None:
    """The owner stops in good order: everything it holds goes back as it was."""
    connection.execute("UPDATE messages SET owner = NULL WHERE owner = ?", (owner,))
    connection.execute("DELETE FROM consumers WHERE owner = ?", (owner,))


def owners(connection: sqlite3.Connection) -> dict[str, int]:
    """Everyone who holds something or is registered, with the counter (-1 where there is none)."""
    holding = connection.execute("SELECT DISTINCT owner FROM messages WHERE owner IS NOT NULL").fetchall()
    beats = dict(connection.execute("SELECT owner, beat FROM consumers").fetchall())
    return {owner: -1 for (owner,) in holding} | beats


def bury(connection: sqlite3.Connection, owner: str, last_beat: int) -> int:
    """The owner is dead if its counter still stands where it stood; how many messages come back."""
    row = connection.execute("SELECT beat FROM consumers WHERE owner = ?", (owner,)).fetchone()
    if row is not None and row[0] != last_beat:
        return 0
    connection.execute("DELETE FROM consumers WHERE owner = ?", (owner,))
    query = "UPDATE messages SET owner = NULL, redeliveries = redeliveries + 1 WHERE owner = ?"
    return connection.execute(query, (owner,)).rowcount


def stranded(connection: sqlite3.Connection) -> bool:
    """Whether a delay ends later than it ever could: the wall clock has stepped back; only reads."""
    now = time.time()
    return connection.execute(f"SELECT 1 {_STRANDED} LIMIT 1", (now, now + 1)).fetchone() is not None


def unstrand(connection: sqlite3.Connection) -> None:
    """Make those due now: a retry that comes early does no harm, one that comes an hour late does."""
    now = time.time()
    query = f"UPDATE messages SET due_at = 0 WHERE id IN (SELECT id {_STRANDED})"  # noqa: S608 - a constant
    connection.execute(query, (now, now + 1))


def shrink(connection: sqlite3.Connection) -> None:
    """Give freed pages back to the file system after a burst, a few at a time."""
    if connection.execute("PRAGMA freelist_count").fetchone()[0] > _VACUUM_PAGES:
        connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()


def depth(connection: sqlite3.Connection) -> QueueDepth:
    """How many messages are where."""
    query = (
        "SELECT total(state = 'jobs' AND owner IS NULL AND due_at <= :now), "
        "total(state = 'jobs' AND owner IS NOT NULL), "
        "total(state = 'jobs' AND owner IS NULL AND due_at > :now), "
        "total(state = 'dead'), total(state = 'parked') FROM messages"
    )
    return QueueDepth(*map(int, connection.execute(query, {"now": time.time()}).fetchone()))
