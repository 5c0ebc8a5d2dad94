"""Vectors in other spaces, `vectors/{space}/{id}.json`: each must belong to an asset.

They are sorted by space first, so they do not join with the other listings: their assets are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dam import keys
from dam.errors import ObjectNotFoundError
from dam.verify.findings import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue.storage import TableHandle
    from dam.verify.scope import Scope


async def find_orphans(scope: Scope, handle: TableHandle, lines: Sequence[dict[str, Any]]) -> list[Finding]:
    """Those of these vectors that belong to an asset no more.

    Raises:
        StoreUnavailableError, CatalogueUnavailableError: the bucket does not answer.
    """
    await scope.worker.run(handle.refresh)
    found = await scope.worker.run(handle.read_revisions, {line["name"] for line in lines})
    owned = {asset_id for asset_id, rows in found.items() if rows[-1].event != "purged"}
    orphans = []
    for line in lines:
        if line["name"] not in owned and (
            found.get(line["name"]) or not await _has_original(scope, line["name"])
        ):
            orphans += [
                finding for key in line["keys"] if (finding := await _judge(scope, key, line["name"]))
            ]
    return orphans


async def _has_original(scope: Scope, asset_id: str) -> bool:
    async for _ in scope.store.list(f"{keys.ASSETS}{asset_id}."):
        return True
    return False


async def _judge(scope: Scope, key: str, asset_id: str) -> Finding | None:
    try:
        found = await scope.store.head(key)
    except ObjectNotFoundError:
        return None
    if found.last_modified > scope.oldest:
        return None
    problem = "It belongs to an asset that was purged, or never was."
    return Finding(Kind.VECTOR_ORPHAN, key, problem, "--repair removes it.", asset_id)
