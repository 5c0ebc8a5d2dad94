"""Where a service knows its tokens from: the book in the bucket, or, for the Bento, its settings."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from dam.access import book
from dam.access.tokens import Scope, Token
from dam.errors import SettingsError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dam.store.port import ObjectStore

log = structlog.get_logger()

REREAD_S: Final = 30.0
"""How old what is known of the book may be: a revoked token works no longer than that."""
_AGAIN_S: Final = 5.0
"""Pause after a book that could not be read, while an older one holds."""
_PATIENCE_S: Final = 2.0
"""How long a request waits for a new look at the book where an older one is at hand."""
_ENTRY: Final = re.compile(r"([0-9a-f]{12}):([0-9a-f]{64})")


class TokenSource(Protocol):
    """The tokens by id."""

    async def tokens(self) -> Mapping[str, Token]:
        """As they are now.

        Raises:
            StoreUnavailableError: the bucket does not answer, and never did.
            AccessError: the book is there and cannot be understood.
        """


class BookTokens:
    """Of the bucket, read again when it is asked for after `reread_s`.

    While the bucket does not answer, what was read last holds: nothing can be revoked then either.
    """

    def __init__(self, store: Callable[[], Awaitable[ObjectStore]], *, reread_s: float = REREAD_S) -> None:
        self._store = store
        self._reread_s = reread_s
        self._known: Mapping[str, Token] | None = None
        self._due = 0.0
        self._reading: asyncio.Task[None] | None = None

    async def tokens(self) -> Mapping[str, Token]:
        """See `TokenSource`."""
        if time.monotonic() >= self._due:
            await self._read_again()
        if self._known is None:
            raise StoreUnavailableError("The bucket does not answer, so nobody's token can be looked up.")
        return self._known

    async def _read_again(self) -> None:
        """Everybody waits for one reading."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="read tokens")
        try:
            async with asyncio.timeout(None if self._known is None else _PATIENCE_S):
                await asyncio.shield(self._reading)
        except TimeoutError:
            log.warning("access.book_slow")

    async def _read(self) -> None:
        try:
            self._known = (await book.read(await self._store())).tokens
            self._due = time.monotonic() + self._reread_s
        except StoreUnavailableError as error:
            log.warning("access.book_unavailable", error=str(error))
            if self._known is None:  # nobody can be let in before it is read: the next request tries again
                raise
            self._due = time.monotonic() + min(_AGAIN_S, self._reread_s)


class FixedTokens:
    """Of a setting: `ID:SHA256` each, as `dam token create --bento` prints them."""

    def __init__(self, entries: str, scope: Scope) -> None:
        """Raises `SettingsError` where an entry is none; the message does not repeat it."""
        self._tokens: dict[str, Token] = {}
        for number, entry in enumerate(re.split(r"[,\s]+", entries.strip()) if entries.strip() else [], 1):
            found = _ENTRY.fullmatch(entry)
            if found is None:
                raise SettingsError(
                    f"DAM_BENTO_TOKENS: entry {number} is not ID:SHA256. `dam token create NAME --bento` "
                    "prints one."
                )
            token_id, digest = found.groups()
            self._tokens[token_id] = Token(
                id=token_id,
                name=token_id,
                scopes=frozenset({scope}),
                sha256=digest,
                created_at=datetime.fromtimestamp(0, UTC),
            )

    async def tokens(self) -> Mapping[str, Token]:
        """See `TokenSource`."""
        return self._tokens
