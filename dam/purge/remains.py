"""What an asset has in the bucket beside its rows: its claim, its original, thumbnails and vectors.

The purger alone calls this, and only for assets that its docstring's order allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dam import keys
from dam.catalogue.row import PURGED
from dam.claims import Claim, Held, bury_claim, change_claim, find_held
from dam.together import for_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue import Row
    from dam.catalogue.row import Status
    from dam.store.port import ObjectStore


_PARALLEL: Final = 16
"""Requests to the store at once."""


@dataclass(frozen=True, slots=True)
class Remains:
    """Where they lie. `original` None: the catalogue never knew its key."""

    asset_id: str
    sha256: str | None
    original: str | None
    vectors: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class HeldContent:
    """An asset's claim on its content, as it was found."""

    sha256: str
    held: Held


def find_remains(rows: Sequence[Row]) -> Remains:
    """From an asset's whole history: its `purged` row says nothing of them any more."""
    known = [row for row in rows if row.event != PURGED] or list(rows)
    last = known[-1]
    vectors = {row.vector_key for row in known if row.vector_key}
    # Of an adopted asset, what the original project wrote goes too: it was made of the same picture.
    vectors |= {keys.vector(last.id), keys.former_vector(last.id)}
    return Remains(last.id, last.sha256, last.r2_key, tuple(sorted(vectors)), last.size_bytes or 0)


class RemainsKeeper:
    """Changes claims and removes objects, several assets at once."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def find_claims(self, items: Sequence[Remains]) -> dict[str, HeldContent]:
        """The claims that these assets hold, by asset."""

        async def find(item: Remains) -> HeldContent | None:
            held = await find_held(self._store, item.sha256, item.asset_id) if item.sha256 else None
            return HeldContent(item.sha256, held) if item.sha256 and held else None

        found = await for_each(items, find, _PARALLEL)
        return {item.asset_id: claim for item, claim in zip(items, found, strict=True) if claim}

    async def bury(self, claims: Sequence[HeldContent]) -> list[HeldContent]:
        """Make tombstones of the claims that nobody has changed since; return those that somebody has."""

        async def bury(item: HeldContent) -> bool:
            return await bury_claim(self._store, item.sha256, item.held)

        buried = await for_each(claims, bury, _PARALLEL)
        return [item for item, is_buried in zip(claims, buried, strict=True) if not is_buried]

    async def bury_for_good(self, claims: Sequence[HeldContent]) -> None:
        """The same whatever they say now, as long as they are still those assets'."""

        async def bury(item: HeldContent) -> None:
            tombstone = item.held.claim.model_copy(update={"status": "purged"})
            await change_claim(self._store, item.sha256, tombstone)

        await for_each(claims, bury, _PARALLEL)

    async def give_back(self, item: Remains, status: Status) -> None:
        """Let an asset that was restored, or deleted anew, have its content again."""
        if item.sha256 and item.original:
            told: Any = "deleted" if status == "deleted" else "live"
            claim = Claim(id=item.asset_id, key=item.original, size=item.size_bytes, status=told)
            await change_claim(self._store, item.sha256, claim)

    async def remove(self, items: Sequence[Remains]) -> None:
        """Remove every byte of them; what is gone already is no error."""
        await for_each(items, self._remove, _PARALLEL)

    async def _remove(self, item: Remains) -> None:
        gone = {item.original} if item.original else set()
        for prefix in (f"{keys.ASSETS}{item.asset_id}.", f"{keys.THUMBS}{item.asset_id}/"):
            gone |= {found.key async for found in self._store.list(prefix)}
        for key in (*sorted(gone), *item.vectors):
            await self._store.delete(key)
