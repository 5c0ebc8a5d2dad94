"""Where tokens are known from: the bucket, read again now and then, and the Bento's setting."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dam.access import book
from dam.access.sources import BookTokens, FixedTokens
from dam.access.starting import MAKE_ONE, check_host
from dam.access.tokens import Scope, find, make
from dam.errors import AccessError, SettingsError, StoreUnavailableError
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from dam.access.tokens import Token
    from dam.store.port import ObjectStore

NOW = datetime.now(UTC)


class Bucket:
    """A store that may be down, and counts how often it was asked for."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.is_down = False
        self.asked = 0

    async def get(self) -> ObjectStore:
        """The store."""
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise StoreUnavailableError("It is down.")
        return self.store


async def add(bucket: Bucket) -> Token:
    token, _ = make("ann", frozenset({Scope.READ}), now=NOW)
    await book.add(bucket.store, token)
    return token


async def test_the_book_is_read_once_for_many_and_again_when_it_is_old() -> None:
    """A hundred at once cost one reading; a revoked token is gone after the interval."""
    bucket = Bucket()
    token = await add(bucket)
    patient, eager = BookTokens(bucket.get), BookTokens(bucket.get, reread_s=0)
    everybody = await asyncio.gather(*(patient.tokens() for _ in range(100)))
    assert all(set(known) == {token.id} for known in everybody)
    assert bucket.asked == 1
    assert set(await eager.tokens()) == {token.id}
    await book.remove(bucket.store, token.id)
    assert set(await patient.tokens()) == {token.id}
    assert not await eager.tokens()


async def test_what_was_read_last_holds_while_the_bucket_is_down() -> None:
    """Nothing known and no bucket: an error, and again when it is back. Known once, it stays known."""
    bucket = Bucket()
    bucket.is_down = True
    source = BookTokens(bucket.get, reread_s=0)
    patient = BookTokens(bucket.get)
    for one in (source, patient):
        with pytest.raises(StoreUnavailableError):
            await one.tokens()
    bucket.is_down = False
    token = await add(bucket)
    for one in (source, patient):
        assert set(await one.tokens()) == {token.id}
    bucket.is_down = True
    assert set(await source.tokens()) == {token.id}


async def test_a_broken_book_is_no_empty_one() -> None:
    """It would open loopback to everybody."""
    bucket = Bucket()
    await bucket.store.put("access/tokens.json", b"{", content_type="application/json")
    with pytest.raises(AccessError, match=r"access/tokens\.json"):
        await BookTokens(bucket.get).tokens()


async def test_the_setting_of_the_bento_knows_its_tokens_by_their_hashes() -> None:
    """Separated by commas, blanks or lines; a wrong entry is named by its number and never shown."""
    one, text = make("one", frozenset({Scope.INFER}), now=NOW)
    two, _ = make("two", frozenset({Scope.INFER}), now=NOW)
    known = await FixedTokens(f"{one.id}:{one.sha256},\n {two.id}:{two.sha256}", Scope.INFER).tokens()
    assert set(known) == {one.id, two.id}
    found = find(known, text, NOW)
    assert found is not None
    assert found.allows(Scope.INFER)
    assert not found.allows(Scope.ADMIN)
    assert not await FixedTokens(" ", Scope.INFER).tokens()
    with pytest.raises(SettingsError, match="entry 2") as raised:
        FixedTokens(f"{one.id}:{one.sha256},secret", Scope.INFER)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "fly-local-6pn", "192.168.1.5"])  # noqa: S104 - not bound
async def test_nothing_listens_beyond_loopback_without_tokens(host: str) -> None:
    """The start is refused with what to do; with a token, and while the bucket is down, it is not."""
    bucket = Bucket()
    with pytest.raises(SettingsError, match="dam token create"):
        await check_host(host, BookTokens(bucket.get), MAKE_ONE)
    await add(bucket)
    await check_host(host, BookTokens(bucket.get), MAKE_ONE)
    bucket.is_down = True
    await check_host(host, BookTokens(bucket.get), MAKE_ONE)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
async def test_loopback_needs_none(host: str) -> None:
    """One machine, one user."""
    await check_host(host, BookTokens(Bucket().get), MAKE_ONE)
