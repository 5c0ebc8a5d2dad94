"""What is wrong with one asset or one claim, judged on facts. Pure: no clock, no I/O.

The first look and the second call the same functions, so that only what is wrong both times is a finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam import keys
from dam.verify.findings import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from dam.claims import Claim
    from dam.store.port import ObjectInfo
    from dam.verify.facts import ClaimFacts, Facts, State

_BACKUP = "Nothing can be made of what is gone: put the file back from a backup, or upload it again."


def judge_asset(facts: Facts, oldest: datetime) -> Iterator[Finding]:
    """Everything that is wrong with an asset; `oldest`: what was modified later may be on its way."""
    state = facts.state
    if state is None:
        yield from _judge_rowless(facts, oldest)
        if not facts.originals:
            yield from _judge_orphans(facts, oldest, "belongs to no asset: there is neither row nor original")
        return
    if not state.is_sound:
        yield Finding(
            Kind.ROW_REVISIONS,
            keys.TABLE,
            f"The revisions of {state.id} are not 1 to {state.revision}, each once.",
            "Nothing is changed: read its history, and make an edit that says what is true.",
            state.id,
        )
    if state.is_purged:
        yield from _judge_orphans(facts, oldest, "is left of an asset that was purged")
        yield from _judge_purged_originals(facts, oldest)
        return
    yield from _judge_originals(facts, state, oldest)
    if state.is_enriched_picture:
        yield from _judge_thumbnails(facts, state)
        yield from _judge_vector(facts, state)


def _judge_rowless(facts: Facts, oldest: datetime) -> Iterator[Finding]:
    for original in _old(facts.originals, oldest):
        holder = facts.holder
        if holder is not None and holder.id != facts.asset_id:
            yield Finding(
                Kind.COPY,
                original.key,
                f"A second copy of {holder.key}, which holds the content; it has no row.",
                "--repair removes it if both are the same byte for byte.",
                facts.asset_id,
            )
        else:
            yield Finding(
                Kind.ROW_MISSING,
                original.key,
                "The original has no row in the catalogue.",
                "--repair claims its content and queues it, as `dam reconcile` does.",
                facts.asset_id,
            )


def _judge_orphans(facts: Facts, oldest: datetime, why: str) -> Iterator[Finding]:
    kinds = ((Kind.THUMBNAIL_ORPHAN, facts.thumbnails), (Kind.VECTOR_ORPHAN, facts.vectors))
    for kind, objects in kinds:
        for found in _old(objects, oldest):
            yield Finding(kind, found.key, f"It {why}.", "--repair removes it.", facts.asset_id)


def _judge_purged_originals(facts: Facts, oldest: datetime) -> Iterator[Finding]:
    for original in _old(facts.originals, oldest):
        yield Finding(
            Kind.ORIGINAL_UNEXPECTED,
            original.key,
            f"The asset {facts.asset_id} was purged, and its original is there.",
            "`dam purge` ends a purge that was cut off; else remove the object by hand.",
            facts.asset_id,
        )


def _judge_originals(facts: Facts, state: State, oldest: datetime) -> Iterator[Finding]:
    own = next((item for item in facts.originals if item.key == state.r2_key), None)
    if own is not None:
        yield from _judge_content(facts, state, own)
    elif state.r2_key is not None:
        problem = f"The original of {state.id} (its row is {state.status}) is not in the bucket."
        yield Finding(Kind.ORIGINAL_MISSING, state.r2_key, problem, _BACKUP, state.id)
    if state.r2_key is None:
        return  # made from a message that nobody could read
    for other in _old((item for item in facts.originals if item is not own), oldest):
        yield Finding(
            Kind.ORIGINAL_UNEXPECTED,
            other.key,
            f"The row of {state.id} names another original, {state.r2_key}.",
            "It is left alone: look at both, and remove by hand the one that is none.",
            state.id,
        )


def _judge_content(facts: Facts, state: State, own: ObjectInfo) -> Iterator[Finding]:
    sha256 = facts.hashes.get(own.key)
    if state.size_bytes is not None and own.size != state.size_bytes:
        problem = f"It has {own.size:,} bytes, and its row says {state.size_bytes:,}."
    elif sha256 is not None and state.sha256 is not None and sha256 != state.sha256:
        problem = f"Its SHA-256 is {sha256}, and its row says {state.sha256}."
    else:
        return
    remedy = "It is never changed: put the file back from a backup, or upload the right one."
    yield Finding(Kind.ORIGINAL_DAMAGED, own.key, problem, remedy, state.id)


def _judge_thumbnails(facts: Facts, state: State) -> Iterator[Finding]:
    there = {item.key for item in facts.thumbnails if item.size}
    for size in keys.THUMBNAIL_SIZES:
        key = keys.thumbnail(state.id, size)
        if key not in there:
            yield Finding(
                Kind.THUMBNAIL_MISSING, key, "The thumbnail is missing.", _again(facts, state), state.id
            )


def _judge_vector(facts: Facts, state: State) -> Iterator[Finding]:
    key = state.vector_key or keys.vector(state.id)
    if all(item.key != key or not item.size for item in facts.vectors):
        problem = "The vector is missing."
        yield Finding(Kind.VECTOR_MISSING, key, problem, _write_vector(facts, state), state.id)
    elif state.embedding_by is None:
        problem = "There is a vector, and the row does not say who made it."
        yield Finding(Kind.VECTOR_WRONG, key, problem, _again(facts, state), state.id)
    elif facts.vector is not None:
        found = (facts.vector.id, facts.vector.model, facts.vector.dim)
        wanted = (state.id, state.embedding_by, facts.vector.dim if state.dim is None else state.dim)
        if found != wanted or not facts.vector.dim:
            problem = f"It says (asset, model, dimension) {found}, and the row says {wanted}."
            yield Finding(Kind.VECTOR_WRONG, key, problem, _write_vector(facts, state), state.id)


def _again(facts: Facts, state: State) -> str:
    if state.status == "deleted":
        return "The asset is deleted, and is left so: restore it, then verify with --repair."
    if all(item.key != state.r2_key for item in facts.originals):
        return "It cannot be made again without the original."
    return "--repair queues the asset again for what is missing."


def _write_vector(facts: Facts, state: State) -> str:
    if state.embedding_by is None:
        return _again(facts, state)
    return "--repair writes it anew from the catalogue, or queues the asset where that has none either."


def judge_claim(facts: ClaimFacts, oldest: datetime) -> Finding | None:
    """What is wrong with the claim on one content; None where nothing is."""
    key = keys.claim(facts.sha256)
    claim, first = facts.claim, facts.states[0] if facts.states else None
    if claim is None:
        if first is None and (facts.made_at is None or facts.made_at > oldest):
            return None
        kind, problem = Kind.CLAIM_MISSING, "No claim says which asset holds this content."
        if facts.made_at is not None:
            kind, problem = Kind.CLAIM_WRONG, "The claim cannot be read."
        remedy = f"--repair claims it for {first.id}." if first else "The next upload replaces it."
        return Finding(kind, key, problem, remedy, first.id if first else None)
    owner = next((state for state in facts.states if state.id == claim.id), None)
    if owner is not None:
        return _judge_owner(key, claim, owner)
    return _judge_stranger(key, claim, facts, oldest)


def _judge_owner(key: str, claim: Claim, owner: State) -> Finding | None:
    said = (claim.key, claim.size, claim.status)
    true = (
        owner.r2_key or claim.key,
        claim.size if owner.size_bytes is None else owner.size_bytes,
        "deleted" if owner.status == "deleted" else "live",
    )
    if said == true:
        return None
    problem = f"The claim of {owner.id} says {said}, and its row says {true}."
    return Finding(Kind.CLAIM_WRONG, key, problem, "--repair writes it as the row has it.", owner.id)


def _judge_stranger(key: str, claim: Claim, facts: ClaimFacts, oldest: datetime) -> Finding | None:
    """A claim of an asset whose row does not have this content."""
    first = facts.states[0] if facts.states else None
    if claim.status == "purged":
        if first is None:
            return None  # a tombstone
        problem = f"The claim is the tombstone of {claim.id}, and {first.id} has this content."
    elif facts.has_original and (facts.holder is None or facts.holder.knows_no_content):
        return None  # a row that is on its way or missing is found at the original
    elif first is None:
        if facts.made_at is not None and facts.made_at > oldest:
            return None
        problem = f"It names {claim.id}, which has no such content."
        remedy = "--repair makes it a tombstone, which the next upload replaces."
        return Finding(Kind.CLAIM_ORPHAN, key, problem, remedy, claim.id)
    else:
        problem = f"The claim names {claim.id}, which does not have this content; {first.id} has it."
    return Finding(Kind.CLAIM_WRONG, key, problem, f"--repair claims it for {first.id}.", first.id)


def _old(objects: Iterable[ObjectInfo], oldest: datetime) -> Iterator[ObjectInfo]:
    return (item for item in objects if item.last_modified <= oldest)
