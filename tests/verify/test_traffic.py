"""Verifying a bucket at which a pipeline is at work: nothing that is only on its way is called wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dam import keys
from dam.catalogue.storage import TableHandle
from dam.maintenance.upkeep import compact
from dam.store.delta import delta_location
from dam.verify import VerifyOptions, verify_bucket
from tests.verify.test_findings import fill

if TYPE_CHECKING:
    from tests.verify.bucket import Verified


async def test_what_arrives_while_it_is_looked_at(verified: Verified) -> None:
    """An asset that lacked its thumbnail and its claim at the first look has them at the second."""
    row = await fill(verified)
    late = [keys.thumbnail(row.id, 256), keys.claim(row.sha256 or "")]
    bodies = [(await verified.store.get(key)).data for key in late]
    for key in late:
        await verified.store.delete(key)
    arriving: list[asyncio.Task[None]] = []

    async def arrive() -> None:
        for key, body in zip(late, bodies, strict=True):
            await verified.store.put(key, body)

    def looked(_: int) -> None:
        if len(arriving) == 1:  # the second call comes after the claims
            arriving.append(asyncio.create_task(arrive()))
        elif not arriving:
            arriving.append(asyncio.create_task(asyncio.sleep(0)))

    options = VerifyOptions(min_age_s=0.0, settle_s=1.0)
    report = await verify_bucket(verified.maintenance, verified.store, verified.queue, options, looked)
    assert len(arriving) == 2
    assert report.findings == []


async def test_traffic_is_no_damage(verified: Verified) -> None:
    """Uploads, edits, deletions, restores and compaction beside it, with nothing held to be too young."""
    await fill(verified)
    stop = asyncio.Event()

    async def work() -> int:
        count = 0
        settings = verified.maintenance.model_copy(update={"compaction_min_files": 2})
        while not stop.is_set():
            row = await verified.add(f"picture {count}")
            row = await verified.change(row.id, row.revision, "edited", "ready", title="a title")
            if count % 2:
                row = await verified.delete(row)
            if count % 4 == 1:
                assert await verified.restore(row)
            if count % 8 == 7:
                handle = TableHandle.open(*delta_location(settings))
                await asyncio.to_thread(compact, handle, settings)
            count += 1
        return count

    working = asyncio.create_task(work())
    try:
        for quick in (False, True, False):
            assert await verified.found(quick=quick, settle_s=1.5) == []
    finally:
        stop.set()
        count = await working
    assert count > 3
    assert await verified.found() == []
