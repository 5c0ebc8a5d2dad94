"""The last step of a purge: files in which the erased rows still lie go from the bucket.

The table's older versions lose what they were read by, so the search index gets a moment to take over what
the purge has written. It drops the rows then, but they stay in its files: so it is built anew as well, by
maintenance, beside the one that goes on answering. Called by `dam purge`, after the purger.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final

import structlog

from dam import keys
from dam.errors import PreconditionFailedError, StoreUnavailableError
from dam.search.state import read_state, write_state

if TYPE_CHECKING:
    from dam.catalogue import Catalogue
    from dam.store.port import ObjectStore

log = structlog.get_logger()

READERS_S: Final = 20.0
"""How long the search index is waited for."""
_GRACE_S: Final = 2.0
_POLL_S: Final = 0.5
_TRIES: Final = 20
_NO_CATALOGUE: Final = "purged"
"""No table's id: those are UUIDs."""


async def is_swept(store: ObjectStore) -> bool:
    """Whether no purge has left rows that were erased and can still be read.

    Every DELETE that removes a row writes such a file before its commit.
    """
    async for _ in store.list(keys.TABLE_CHANGES):
        return False
    return True


async def sweep(store: ObjectStore, catalogue: Catalogue, readers_s: float = READERS_S) -> int:
    """Remove the files that hold erased rows; return how many. Safe to be cut off and done again.

    Raises:
        StoreUnavailableError, CatalogueUnavailableError: some are left; do it again.
    """
    if await is_swept(store):
        return 0
    await _wait_for_index(store, await catalogue.version(), readers_s)
    count = await catalogue.vacuum_dropped()
    await _renew_index(store)
    # Last: that one of these is there tells the next run that this one did not come to its end.
    for key in [found.key async for found in store.list(keys.TABLE_CHANGES)]:
        await store.delete(key)
        count += 1
    return count


async def _wait_for_index(store: ObjectStore, version: int, longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    await asyncio.sleep(min(_GRACE_S, longest_s))  # galleries look at the table every second
    while True:
        state, _ = await read_state(store)
        if state is None or state.version >= version:
            return
        if time.monotonic() > deadline:
            log.info("purge.index_behind", index=state.version, version=version)
            return
        await asyncio.sleep(_POLL_S)


async def _renew_index(store: ObjectStore) -> None:
    """Have the keeper take the index for one of a catalogue that is no more; readers do not look at that."""
    for _ in range(_TRIES):
        state, etag = await read_state(store)
        if state is None or state.catalogue == _NO_CATALOGUE:
            return
        with contextlib.suppress(PreconditionFailedError):  # the keeper was faster: on what it has written
            await write_state(store, state.model_copy(update={"catalogue": _NO_CATALOGUE}), etag)
            return
        await asyncio.sleep(_POLL_S)
    raise StoreUnavailableError("The search index changes all the time; purge again to have it built anew.")
