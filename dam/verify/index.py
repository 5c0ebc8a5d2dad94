"""The search index as far as it can be judged from outside: its cursor, and whether its table is there.

It is derived and disposable; `dam maintain` builds it anew where any of this is wrong. Nothing here writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dam import keys
from dam.search.state import read_state
from dam.verify.findings import Finding, Kind

if TYPE_CHECKING:
    from dam.store.port import ObjectStore

_REMEDY: Final = "`dam maintain` builds it anew by itself; the gallery goes on meanwhile."


async def check_index(store: ObjectStore, table_id: str, version: int) -> Finding | None:
    """What is wrong with it, beside a table at `version`; None too where there is no index at all.

    Raises:
        StoreUnavailableError: the bucket does not answer.
    """
    state, etag = await read_state(store)
    if state is None:
        return None if etag is None else _wrong("Its state cannot be read, or is of another layout.")
    folder = f"{keys.SEARCH}/{state.table}.lance/"
    if await anext(aiter(store.list(folder)), None) is None:
        return _wrong(f"Its table is not there: nothing lies below {folder}.")
    if state.catalogue == table_id and state.version > version:
        return _wrong(f"It says that it has version {state.version} of the catalogue, which is at {version}.")
    return None


def _wrong(problem: str) -> Finding:
    return Finding(Kind.INDEX, keys.SEARCH_STATE, problem, _REMEDY)
