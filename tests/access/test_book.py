"""The token book on every store: nothing is lost, nothing broken is taken for empty."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.access import book
from dam.access.tokens import Scope, Token, make
from dam.errors import AccessError

if TYPE_CHECKING:
    from dam.store import ObjectStore


def token_of(name: str) -> Token:
    return make(name, frozenset({Scope.READ}), now=datetime.now(UTC))[0]


async def test_a_token_is_read_back_until_it_is_revoked(store: ObjectStore) -> None:
    """No book is an empty one; what was added is there as it was; what was removed is gone."""
    assert (await book.read(store)).tokens == {}
    ada, bob = token_of("Ada"), token_of("Bob")
    await book.add(store, ada)
    await book.add(store, bob)
    assert (await book.read(store)).tokens == {ada.id: ada, bob.id: bob}
    assert await book.remove(store, ada.id) == ada
    assert (await book.read(store)).tokens == {bob.id: bob}


async def test_many_at_once_lose_nothing(store: ObjectStore) -> None:
    """Six tokens made while two others are revoked: all changes are there in the end."""
    old, new = [token_of(f"old {n}") for n in range(2)], [token_of(f"new {n}") for n in range(6)]
    for token in old:
        await book.add(store, token)
    await asyncio.gather(
        *(book.add(store, token) for token in new), *(book.remove(store, token.id) for token in old)
    )
    assert set((await book.read(store)).tokens) == {token.id for token in new}


async def test_an_unknown_token_cannot_be_revoked(store: ObjectStore) -> None:
    """A wrong id is an error that says where the right ones are."""
    with pytest.raises(AccessError, match="dam token list"):
        await book.remove(store, "0123456789ab")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": 2}', b'{"tokens": {"a": {}}}'])
async def test_a_broken_book_is_never_an_empty_one(store: ObjectStore, data: bytes) -> None:
    """An unreadable book, or one of a later version, is an error; and it is not written over."""
    await store.put(keys.TOKENS, data)
    with pytest.raises(AccessError, match="cannot be read"):
        await book.read(store)
    with pytest.raises(AccessError, match="cannot be read"):
        await book.add(store, token_of("Ada"))
    assert (await store.get(keys.TOKENS)).data == data


async def test_fields_of_a_later_program_are_kept(store: ObjectStore) -> None:
    """A program that does not know a field does not drop it."""
    ada = token_of("Ada")
    kept = json.loads(ada.model_dump_json()) | {"later": {"a": 1}}
    await store.put(keys.TOKENS, json.dumps({"version": 1, "tokens": {ada.id: kept}, "more": 2}).encode())
    await book.add(store, token_of("Bob"))
    written = json.loads((await store.get(keys.TOKENS)).data)
    assert (written["more"], written["tokens"][ada.id]["later"]) == (2, {"a": 1})
