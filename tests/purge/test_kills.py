"""A purge that is killed anywhere is finished by the next one; one that meets a restore loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.purge.mortal import Fate, Killed

if TYPE_CHECKING:
    from dam.catalogue import Row
    from tests.purge.bucket import Bucket


async def test_killed_before_any_step_and_run_again(bucket: Bucket) -> None:
    """For each change that a purge makes: dead before it, and the next run leaves nothing."""
    live = await bucket.add("a red boat")
    steps = 0
    while True:
        row = await bucket.add_deleted(f"walrus {steps}")
        try:
            await bucket.purge(fate=Fate(lives=steps))
        except Killed:
            await bucket.purge()
        else:
            break
        await bucket.assert_purged(row, f"walrus {steps}")
        steps += 1
    assert steps > 8, "the claim, the commit, four objects, the rows, the old files, their changes"
    await bucket.assert_whole(live, 1)


async def test_killed_again_and_again(bucket: Bucket) -> None:
    """Each run gets one step further than the one before, and the last one finds the end."""
    row = await bucket.add_deleted("a purple walrus")
    for lives in range(30):
        try:
            await bucket.purge(fate=Fate(lives=lives))
        except Killed:
            continue
        break
    assert lives < 29
    await bucket.assert_purged(row, "a purple walrus")


@dataclass
class Restorer:
    """Restores an asset before the purge's step number `at`."""

    bucket: Bucket
    row: Row
    at: int
    restored: bool | None = None
    met: int = 0

    async def __call__(self, _: str) -> None:
        """Before a step."""
        if self.met == self.at:
            self.restored = await self.bucket.restore(self.row) is not None
        self.met += 1


async def test_a_restore_that_comes_in_between_wins_or_is_refused(bucket: Bucket) -> None:
    """Before each step of a purge: the asset is whole again, or it is gone and whoever restores was told."""
    outcomes: list[bool] = []
    while True:
        name = f"walrus {len(outcomes)}"
        row = await bucket.add_deleted(name)
        restorer = Restorer(bucket, row, at=len(outcomes))
        report = await bucket.purge(fate=Fate(before_each=restorer))
        if restorer.restored is None:
            break
        if restorer.restored:
            assert report.kept == [row.id]
            await bucket.assert_whole(row, 4)
        else:
            assert report.purged == [row.id]
            await bucket.assert_purged(row, name)
        outcomes.append(restorer.restored)
    assert outcomes == sorted(outcomes, reverse=True), "up to the commit it wins, from then on it is refused"
    assert {True, False} == set(outcomes)
