"""Reads what a full look needs of an asset: the SHA-256 of its originals, and what its vector says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dam import keys
from dam.claims import read_claim
from dam.errors import ObjectNotFoundError
from dam.maintenance.failures import hash_object
from dam.verify.facts import Vector

if TYPE_CHECKING:
    from dam.claims import Claim
    from dam.store.port import ObjectInfo, ObjectStore
    from dam.verify.facts import Facts

_LARGEST_VECTOR: Final = 4 << 20


async def read_contents(store: ObjectStore, facts: Facts) -> int:
    """Read what the row speaks of, as far as it is there; the bytes of originals that were hashed."""
    state = facts.state
    if state is None or state.is_purged:
        return 0
    read = 0
    for original in facts.originals:
        if original.key == state.r2_key and state.sha256 and original.size == state.size_bytes:
            try:
                facts.hashes[original.key] = await hash_object(store, original.key)
            except ObjectNotFoundError:
                continue  # its second look finds out
            read += original.size
    if state.is_enriched_picture:
        facts.vector = await _read_vector(store, facts)
    return read


async def find_holder(store: ObjectStore, original: ObjectInfo) -> Claim | None:
    """Who holds the content of an original, as long as the holder's own original is there."""
    try:
        claim = await read_claim(store, await hash_object(store, original.key))
        if claim is None or claim.status == "purged":
            return None
        await store.head(claim.key)
    except ObjectNotFoundError:
        return None
    return claim


async def _read_vector(store: ObjectStore, facts: Facts) -> Vector | None:
    key = (facts.state and facts.state.vector_key) or keys.vector(facts.asset_id)
    if all(item.key != key for item in facts.vectors):
        return None
    if any(item.key == key and item.size > _LARGEST_VECTOR for item in facts.vectors):
        return Vector(None, None, None)
    try:
        return _parse((await store.get(key)).data)
    except ObjectNotFoundError:
        return None


def _parse(data: bytes) -> Vector:
    try:
        said: dict[str, Any] = json.loads(data)
        numbers = said["embedding"]
        dim = len(numbers) if all(isinstance(number, int | float) for number in numbers) else None
        return Vector(said["id"], said["model"], dim if dim == said["dim"] else None)
    except (ValueError, KeyError, TypeError):
        return Vector(None, None, None)
