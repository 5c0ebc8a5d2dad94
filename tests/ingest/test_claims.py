"""Claims of contents, under races and with answers that never come."""

from __future__ import annotations

import asyncio

import pytest

from dam import keys
from dam.claims import Claim, change_claim, claim_content, read_claim
from dam.errors import StoreUnavailableError
from dam.ids import new_id
from tests.fakes.store import MemoryStore

SHA = "ab" * 32


def a_claim() -> Claim:
    asset_id = new_id()
    return Claim(id=asset_id, key=keys.original(asset_id, "png"), size=3)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def test_first_claim_wins_and_is_the_documented_object(store: MemoryStore) -> None:
    """A new content is claimed; the object holds id, key and size."""
    claim = a_claim()
    assert await claim_content(store, SHA, claim) == claim
    assert store.objects[f"hashes/{SHA}"].data == claim.to_bytes()
    assert set(claim.model_dump(exclude_defaults=True)) == {"id", "key", "size"}


async def test_taken_claim_names_its_holder(store: MemoryStore) -> None:
    """A second asset with the same content learns who holds it, and changes nothing."""
    first = await claim_content(store, SHA, a_claim())
    assert await claim_content(store, SHA, a_claim()) == first
    assert await read_claim(store, SHA) == first


async def test_repeating_a_claim_is_harmless(store: MemoryStore) -> None:
    """The same claim given again is won again."""
    claim = a_claim()
    await claim_content(store, SHA, claim)
    assert await claim_content(store, SHA, claim) == claim


async def test_race_has_one_winner(store: MemoryStore) -> None:
    """Twenty assets with one content at once agree on the holder."""
    holders = await asyncio.gather(*(claim_content(store, SHA, a_claim()) for _ in range(20)))
    assert len({holder.id for holder in holders}) == 1


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_lost_answer_is_settled_by_reading_back(store: MemoryStore, lost: str) -> None:
    """Whether a put whose answer was lost had happened or not, the claim ends up ours."""
    claim = a_claim()
    store.lost_puts.append(lost)
    assert await claim_content(store, SHA, claim) == claim
    assert await read_claim(store, SHA) == claim


async def test_lost_answer_does_not_hide_another_holder(store: MemoryStore) -> None:
    """A put whose answer was lost is not taken for won when somebody else holds the content."""
    first = await claim_content(store, SHA, a_claim())
    store.lost_puts.append("before")
    assert await claim_content(store, SHA, a_claim()) == first


async def test_store_that_stays_down_is_reported(store: MemoryStore) -> None:
    """An outcome that cannot be read back is an error, not a guess."""
    store.down = "The disk is full."
    with pytest.raises(StoreUnavailableError, match="disk is full"):
        await claim_content(store, SHA, a_claim())


async def test_endless_lost_answers_end(store: MemoryStore) -> None:
    """A store that takes no put but answers reads does not keep the caller for ever."""
    store.lost_puts.extend(["before"] * 50)
    with pytest.raises(StoreUnavailableError, match="upload the file again"):
        await claim_content(store, SHA, a_claim())


async def test_tombstone_is_replaced_once(store: MemoryStore) -> None:
    """After a purge the content may be uploaded again; of several uploads at once one holds it."""
    old = await claim_content(store, SHA, a_claim())
    await change_claim(store, SHA, old.model_copy(update={"status": "purged"}))
    holders = await asyncio.gather(*(claim_content(store, SHA, a_claim()) for _ in range(5)))
    assert {holder.id for holder in holders}.isdisjoint({old.id})
    assert len({holder.id for holder in holders}) == 1


async def test_deleted_asset_keeps_its_claim(store: MemoryStore) -> None:
    """The content of a deleted asset stays claimed, and the claim says that it is deleted."""
    old = await claim_content(store, SHA, a_claim())
    await change_claim(store, SHA, old.model_copy(update={"status": "deleted"}))
    holder = await claim_content(store, SHA, a_claim())
    assert (holder.id, holder.status) == (old.id, "deleted")


async def test_claim_of_a_missing_original_is_taken_over(store: MemoryStore) -> None:
    """A holder that the caller found to be gone is replaced; another holder is not."""
    first = await claim_content(store, SHA, a_claim())
    other = a_claim()
    assert await claim_content(store, SHA, other, gone=new_id()) == first
    assert await claim_content(store, SHA, other, gone=first.id) == other


async def test_unreadable_claim_is_replaced(store: MemoryStore) -> None:
    """A claim that is not JSON blocks nobody."""
    await store.put(keys.claim(SHA), b"\x00not json")
    claim = a_claim()
    assert await claim_content(store, SHA, claim) == claim


async def test_unknown_fields_of_a_claim_are_ignored(store: MemoryStore) -> None:
    """A claim written by a later version is still read."""
    claim = a_claim()
    await store.put(keys.claim(SHA), claim.model_dump_json()[:-1].encode() + b', "colour": "red"}')
    assert await read_claim(store, SHA) == claim


async def test_status_of_somebody_elses_claim_is_left_alone(store: MemoryStore) -> None:
    """Changing the status names the holder and writes nothing where another id holds the content."""
    first = await claim_content(store, SHA, a_claim())
    assert await change_claim(store, SHA, a_claim().model_copy(update={"status": "deleted"})) == first
    assert await read_claim(store, SHA) == first
