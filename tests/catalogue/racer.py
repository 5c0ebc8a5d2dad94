"""A committer as a process of its own: `python -m tests.catalogue.racer ROUNDS ASSET...`.

It opens (or makes) the catalogue that its `DAM_*` variables name and, in each round, commits one edit of
each of these assets and one asset of its own in one batch; an edit that came too late is made again on what
is there then. It prints the id of each change that it was told is committed.
"""

from __future__ import annotations

import asyncio
import sys

from dam import logs
from dam.catalogue import Catalogue, Committed, Stale
from dam.settings import DamSettings
from tests.catalogue.changes import change


async def edit_all(catalogue: Catalogue, assets: list[str]) -> None:
    """One round."""
    own, waiting = change(), list(assets)
    while waiting:
        current = await catalogue.current(waiting)
        seen = {asset: current[asset].revision if asset in current else 0 for asset in waiting}
        edits = [change(asset, revision, "edited", caption="x") for asset, revision in seen.items()]
        outcomes = await catalogue.commit([own, *edits])
        for asked, outcome in zip([own, *edits], outcomes, strict=True):
            if isinstance(outcome, Committed):
                print(asked.change_id, flush=True)  # noqa: T201 - its output is the test's
        waiting = [
            asked.asset_id
            for asked, outcome in zip(edits, outcomes[1:], strict=True)
            if isinstance(outcome, Stale)
        ]


async def main(rounds: int, assets: list[str]) -> None:
    """Wait for a line on standard input, so that all begin together, then open and commit."""
    print("ready", flush=True)  # noqa: T201 - its output is the test's
    await asyncio.to_thread(sys.stdin.readline)
    catalogue = await Catalogue.open(DamSettings())
    try:
        for _ in range(rounds):
            await edit_all(catalogue, assets)
    finally:
        await catalogue.close()


if __name__ == "__main__":
    logs.configure("ERROR", json=True)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
