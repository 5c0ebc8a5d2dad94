"""Claims of contents: `hashes/{sha256}` says which asset holds a content, so that it is stored once.

Ingest and reconcile claim here, purge leaves a tombstone. A claim is only ever written conditionally: it is
made where there is none, and replaced only as the very version that was read. This module never touches
originals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from dam import keys
from dam.errors import ObjectNotFoundError, PreconditionFailedError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.store.port import ObjectStore

log = structlog.get_logger()

_MAX_ROUNDS: Final = 8
"""Each lost round means that somebody else's write came first; eight in a row means a broken store."""


class Claim(BaseModel):
    """The asset `id` holds this content at `key`.

    `live` is an asset like any other; `deleted` one that its owner may restore; `purged` a tombstone, which
    an upload of the same content may replace.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    key: str
    size: int
    status: Literal["live", "deleted", "purged"] = "live"

    def to_bytes(self) -> bytes:
        """The object's body: JSON; `status` only where it is not `live`."""
        return self.model_dump_json(exclude_defaults=True).encode()


@dataclass(frozen=True, slots=True)
class Held:
    """A claim in one version of its object."""

    claim: Claim
    etag: str


async def claim_content(store: ObjectStore, sha256: str, claim: Claim, *, gone: str | None = None) -> Claim:
    """Claim a content for `claim.id` unless somebody holds it; return the holder's claim (ours if won).

    A tombstone is replaced, and so is the claim of the id `gone`: one whose original the caller has found
    missing. Unclear outcomes are settled by reading back. Safe to repeat with the same claim.

    Raises:
        StoreUnavailableError: the outcome is unknown; nobody else's claim was harmed. Do not delete the
            original that the claim names: the claim may stand.
    """
    return await _settle(
        store, sha256, claim, replaceable=lambda held: held.status == "purged" or held.id == gone
    )


async def claim_or_inherit(store: ObjectStore, sha256: str, claim: Claim) -> Claim:
    """The same, but a holder whose original is gone from the bucket loses the content to us.

    Raises:
        StoreUnavailableError: as above.
    """
    holder = await claim_content(store, sha256, claim)
    if holder.id == claim.id:
        return holder
    try:
        await store.head(holder.key)
    except ObjectNotFoundError:
        log.warning("claim.inherited", asset_id=claim.id, gone=holder.id)
        return await claim_content(store, sha256, claim, gone=holder.id)
    return holder


async def change_claim(store: ObjectStore, sha256: str, claim: Claim) -> Claim:
    """Give our own claim another `status` (deleted, restored, purged); return the holder's claim.

    Nothing is written where another id holds the content; a missing claim is made.
    """
    return await _settle(
        store, sha256, claim, replaceable=lambda held: held.id == claim.id or held.status == "purged"
    )


async def read_claim(store: ObjectStore, sha256: str) -> Claim | None:
    """The claim of a content as it is now, or None."""
    claim, _ = await _read(store, keys.claim(sha256))
    return claim


async def find_held(store: ObjectStore, sha256: str, asset_id: str) -> Held | None:
    """The claim of this asset on a content, in the very version that is there now; None where it has none."""
    claim, etag = await _read(store, keys.claim(sha256))
    return Held(claim, etag) if claim and etag and claim.id == asset_id else None


async def bury_claim(store: ObjectStore, sha256: str, held: Held) -> bool:
    """Make a claim a tombstone, if it is still the very version that was found; whether it is one now.

    Raises:
        StoreUnavailableError: the outcome is unknown.
    """
    tombstone = held.claim.model_copy(update={"status": "purged"})
    if held.claim == tombstone or await _written(store, keys.claim(sha256), tombstone, held.etag):
        return True
    return await read_claim(store, sha256) == tombstone


async def _settle(
    store: ObjectStore, sha256: str, claim: Claim, replaceable: Callable[[Claim], bool]
) -> Claim:
    """Put, and after anything but success read back and judge, until one claim is known to stand."""
    key = keys.claim(sha256)
    etag = None
    for _ in range(_MAX_ROUNDS):
        if await _written(store, key, claim, etag):
            return claim
        held, etag = await _read(store, key)
        if held is not None and (held == claim or not replaceable(held)):
            return held
    raise StoreUnavailableError(
        f"The claim of content {sha256} for asset {claim.id} could not be settled in {_MAX_ROUNDS} tries; "
        "upload the file again later."
    )


async def _written(store: ObjectStore, key: str, claim: Claim, etag: str | None) -> bool:
    """Whether the conditional put is known to have won; False means: lost, or unclear."""
    try:
        await store.put(
            key, claim.to_bytes(), content_type="application/json", if_absent=etag is None, if_match=etag
        )
    except (PreconditionFailedError, StoreUnavailableError) as error:
        log.debug("claim.unsettled", key=key, asset_id=claim.id, error=str(error))
        return False
    return True


async def _read(store: ObjectStore, key: str) -> tuple[Claim | None, str | None]:
    """The claim and its etag. An unreadable claim is (None, etag): it holds nothing and may be replaced."""
    try:
        found = await store.get(key)
    except ObjectNotFoundError:
        return None, None
    try:
        return Claim.model_validate_json(found.data), found.info.etag
    except ValidationError as error:
        log.warning("claim.unreadable", key=key, error=str(error))
        return None, found.info.etag
