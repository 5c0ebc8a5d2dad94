"""The bucket's objects, by the asset they belong to: as sorted streams, or for one asset alone.

Keys that belong to no asset are told apart here: whoever put them there, they are not ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dam import keys
from dam.errors import ObjectNotFoundError
from dam.ids import is_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dam.store.port import ObjectInfo, ObjectStore
    from dam.verify.facts import Facts, State

_THUMBNAIL: Final = re.compile(rf"{keys.THUMBS}([^/]+)/\d+\.webp")
_VECTOR: Final = re.compile(rf"{keys.VECTORS}([^/]+)\.json")
_OTHER_SPACE: Final = re.compile(rf"{keys.VECTORS}[^/]+/([^/]+)\.json")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def owner_of(key: str) -> str | None:
    """The asset that an original, a thumbnail or a primary vector belongs to; None for any other key."""
    if key.startswith(keys.ASSETS):
        return keys.asset_id_of(key)
    match = _THUMBNAIL.fullmatch(key) or _VECTOR.fullmatch(key)
    return match[1] if match and is_id(match[1]) else None


def owner_in_space(key: str) -> str | None:
    """The asset of a vector in another space."""
    match = _OTHER_SPACE.fullmatch(key)
    return match[1] if match and is_id(match[1]) else None


def content_of(key: str) -> str | None:
    """The SHA-256 that a claim is for; None for a key that is no claim's."""
    name = key.removeprefix(keys.HASHES)
    return name if _SHA256.fullmatch(name) else None


async def list_named(
    store: ObjectStore,
    prefix: str,
    name: Callable[[str], str | None],
    tell: Callable[[ObjectInfo], None],
) -> AsyncIterator[ObjectInfo]:
    """Objects below `prefix` whose key has a name, in key order; `tell` hears of the others."""
    async for found in store.list(prefix):
        if name(found.key) is None:
            tell(found)
        else:
            yield found


async def find_objects(store: ObjectStore, facts: Facts) -> None:
    """Fill in what one asset has now."""
    asset_id, state = facts.asset_id, facts.state
    facts.originals = [item async for item in store.list(f"{keys.ASSETS}{asset_id}.")]
    facts.thumbnails = [item async for item in store.list(f"{keys.THUMBS}{asset_id}/")]
    facts.vectors = []
    for key in {keys.vector(asset_id), *_named_elsewhere(state)}:
        try:
            found = await store.head(key)
        except ObjectNotFoundError:
            continue
        (facts.originals if state and key == state.r2_key else facts.vectors).append(found)


def _named_elsewhere(state: State | None) -> list[str]:
    """Keys that the row names and that are not where the asset's own id would put them."""
    if state is None:
        return []
    named = [state.vector_key] if state.vector_key else []
    if state.r2_key and not state.r2_key.startswith(f"{keys.ASSETS}{state.id}."):
        named.append(state.r2_key)
    return named
