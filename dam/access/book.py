"""The token book in the bucket: read by every service with a bucket, changed by `dam token` alone.

An unreadable book is an error and never an empty one: an empty book opens loopback to everybody.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dam import keys
from dam.access.tokens import Token
from dam.errors import AccessError, ObjectNotFoundError, PreconditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.store.port import ObjectStore

_SCHEMA: Final = 1
_ATTEMPTS: Final = 30
_PAUSE_S: Final = 0.2


class Book(BaseModel):
    """All tokens by id. Fields of a later version are kept when it is written anew."""

    model_config = ConfigDict(frozen=True, extra="allow")

    version: int = Field(default=_SCHEMA, ge=1, le=_SCHEMA)
    tokens: dict[str, Token] = Field(default_factory=dict)


async def read(store: ObjectStore) -> Book:
    """The book; empty where there is none.

    Raises:
        StoreUnavailableError: the bucket does not answer.
        AccessError: it is there and cannot be understood.
    """
    return (await _read(store))[0]


async def add(store: ObjectStore, token: Token) -> None:
    """Write a new token down. Raises as `read` does."""
    await _change(store, lambda book: _with_tokens(book, book.tokens | {token.id: token}))


async def remove(store: ObjectStore, token_id: str) -> Token:
    """Strike a token out and return it. Raises as `read` does, and where it is unknown."""
    known = (await read(store)).tokens.get(token_id)
    if known is None:
        raise AccessError(f"There is no token {token_id}; `dam token list` shows those there are.")
    await _change(
        store, lambda book: _with_tokens(book, {key: t for key, t in book.tokens.items() if key != token_id})
    )
    return known


async def _change(store: ObjectStore, edit: Callable[[Book], Book]) -> None:
    """Edit and write, from the start again where another was faster.

    `edit` must be repeatable: a put whose outcome was unclear is found done by the next reading.
    """
    for attempt in range(_ATTEMPTS):
        book, etag = await _read(store)
        edited = edit(book)
        if edited == book:
            return
        data = edited.model_dump_json(indent=2).encode()
        try:
            await store.put(
                keys.TOKENS, data, content_type="application/json", if_absent=etag is None, if_match=etag
            )
        except PreconditionFailedError:
            await asyncio.sleep(_PAUSE_S * random.random() * (1 + attempt))  # noqa: S311 - spreads writers
        else:
            return
    raise AccessError(f"Others kept changing {keys.TOKENS}; nothing was changed. Try again.")


async def _read(store: ObjectStore) -> tuple[Book, str | None]:
    try:
        found = await store.get(keys.TOKENS)
    except ObjectNotFoundError:
        return Book(), None
    try:
        return Book.model_validate_json(found.data), found.info.etag
    except ValidationError:
        raise AccessError(
            f"{keys.TOKENS} in {store.url} cannot be read: it is broken or of a later version. Nobody is let "
            "in until it is put right; or delete it and make new tokens with `dam token create`."
        ) from None  # its own words quote what it found, hashes too


def _with_tokens(book: Book, tokens: dict[str, Token]) -> Book:
    return book.model_copy(update={"tokens": tokens})
