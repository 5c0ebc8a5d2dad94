"""`search/state.json`: which Lance table is the index, whose vectors it holds, how far it has got.

The keeper writes it, readers follow it. Lance's own commits come first and this object after them, so what it
says is there is there; whatever the table has beyond it is applied again without harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from dam import keys
from dam.errors import ObjectNotFoundError

if TYPE_CHECKING:
    from dam.store.port import ObjectStore

log = structlog.get_logger()

LAYOUT: Final = 3
"""Raised when the index's columns, words or kind of vector index change: one of another layout is rebuilt."""


class Retired(BaseModel):
    """A table that was replaced; readers may still have it open."""

    model_config = ConfigDict(frozen=True)

    table: str
    at: AwareDatetime


class IndexState(BaseModel):
    """The index as published. `version` is the catalogue's; `model` None while no asset has a vector."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    layout: int
    table: str
    catalogue: str
    version: int
    model: str | None
    dim: int
    rows: int
    approximate: bool = False
    updated_at: AwareDatetime
    retired: tuple[Retired, ...] = ()


async def read_state(store: ObjectStore) -> tuple[IndexState | None, str | None]:
    """State and etag; (None, None) where there is none, (None, etag) where it cannot be used.

    Raises:
        StoreUnavailableError: the bucket does not answer.
    """
    try:
        found = await store.get(keys.SEARCH_STATE)
    except ObjectNotFoundError:
        return None, None
    try:
        state = IndexState.model_validate_json(found.data)
    except ValidationError as error:
        log.warning("index.state_unreadable", error=str(error))
        return None, found.info.etag
    return (state if state.layout == LAYOUT else None), found.info.etag


async def write_state(store: ObjectStore, state: IndexState, etag: str | None) -> str:
    """Publish it in place of the version that was read; returns its etag.

    Raises:
        PreconditionFailedError: somebody else published meanwhile.
        StoreUnavailableError: unclear whether it was written.
    """
    return await store.put(
        keys.SEARCH_STATE,
        state.model_dump_json().encode(),
        content_type="application/json",
        if_absent=etag is None,
        if_match=etag,
    )
