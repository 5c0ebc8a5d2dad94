"""Killed anywhere, or overtaken by an orchestrator: the next run goes on, and no caption is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dam import keys
from dam.maintenance.settings import MaintenanceSettings
from dam.store.opening import open_store
from tests.adopt.bucket import Adopting, Former
from tests.adopt.original import OriginalWorker
from tests.purge.mortal import Fate, Killed

if TYPE_CHECKING:
    from pathlib import Path

_MOST_CHANGES = 30


async def _is_kept(former: Former) -> bool:
    return any([True async for _ in former.store.list(keys.ADOPTED_TABLES)])


async def _check_whole(adopting: Adopting, ids: list[str]) -> None:
    """Every asset is enriched once, and has the caption that it had."""
    await adopting.enrich()
    rows = await adopting.verified.catalogue.current(ids)
    assert [rows[asset_id].caption for asset_id in ids] == [f"caption {at}" for at in range(len(ids))]
    assert {row.caption_by for row in rows.values()} == {"original@unknown"}
    assert {row.embedding_by for row in rows.values()} == {"tiny-clip@r2"}
    await adopting.check_well()


async def _kill_and_go_on(folder: Path, lives: int, *, enrich_between: bool) -> bool:
    """One whole story; whether it was killed at all."""
    settings = MaintenanceSettings(data_dir=folder)
    store = await open_store(settings)
    former = Former(settings, store, OriginalWorker(store))
    ids = await former.worker.process_all(2)
    before = await former.describe()
    async with former.open() as adopting:
        try:
            await adopting.adopt(Fate(lives=lives), parallel=1)
            was_killed = False
        except Killed:
            was_killed = True
            assert not await _is_kept(former)
        if enrich_between:
            await adopting.enrich()
        await adopting.adopt()
        await _check_whole(adopting, ids)
        now = await former.describe()
        assert {key: etag for key, etag in now.items() if key in before and key != keys.SNAPSHOT} == {
            key: etag for key, etag in before.items() if key != keys.SNAPSHOT
        }
        assert not (await adopting.adopt()).has_work
    await store.close()
    return was_killed


@pytest.mark.parametrize("enrich_between", [False, True])
async def test_what_was_killed_anywhere_goes_on(tmp_path: Path, *, enrich_between: bool) -> None:
    """Killed before each of its changes in turn, it ends as if it had never been killed.

    So it does where an orchestrator works on what was queued before the next run.
    """
    for lives in range(_MOST_CHANGES):
        if not await _kill_and_go_on(tmp_path / str(lives), lives, enrich_between=enrich_between):
            assert lives > 8, "each asset takes four changes"
            return
    raise AssertionError("It makes too many changes.")


async def test_an_orchestrator_that_is_faster_loses_no_caption(former: Former) -> None:
    """A job that is done before its row is committed leaves a row without a caption: it gets the old one."""
    ids = await former.worker.process_all(2)
    async with former.open() as adopting:

        async def work_first(name: str) -> None:
            if name == "commit":
                await adopting.enrich()

        await adopting.adopt(Fate(before_each=work_first))
        history = await adopting.verified.catalogue.history(ids[0])
        assert [(row.event, row.actor) for row in history] == [
            ("enriched", "orchestrator"),
            ("edited", "adopt"),
        ]
        await _check_whole(adopting, ids)


async def test_two_at_once_take_each_asset_once(either_former: Former) -> None:
    """Two people start it: one row for each asset, one claim, nothing lost."""
    ids = await either_former.worker.process_all(4)
    async with either_former.open() as one, either_former.open() as other:
        await asyncio.gather(one.adopt(), other.adopt())
        rows = await one.verified.catalogue.histories(ids)
        assert [len(rows[asset_id]) for asset_id in ids] == [1] * 4
        await _check_whole(one, ids)
        await other.enrich()
        await _check_whole(one, ids)


async def test_an_edit_that_comes_first_stays(former: Former) -> None:
    """A caption that a person has written, or emptied, is not replaced by the old one."""
    [asset_id] = await former.worker.process_all(1)
    async with former.open() as adopting:
        await adopting.adopt()
        await adopting.verified.change(
            asset_id, 1, "edited", "ready", caption=None, caption_by="person:anonymous"
        )
        assert not (await adopting.adopt()).has_work
        row = (await adopting.verified.catalogue.current([asset_id]))[asset_id]
        assert row.caption is None


async def test_pictures_that_came_since_are_taken_too(former: Former) -> None:
    """The original's worker went on after an adoption: the next run takes the new ones."""
    await former.worker.process_all(2)
    async with former.open() as adopting:
        await adopting.adopt()
        await former.worker.process_all(1)
        report = await adopting.adopt()
        assert (report.known, report.taken, report.oddities) == (2, 1, [])
        await adopting.enrich()
        await adopting.check_well()
        assert len([True async for _ in former.store.list(keys.ADOPTED_TABLES)]) == 2
