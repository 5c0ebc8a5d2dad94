"""What has no row yet is found without listing again what has long had one."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from dam import keys
from gallery_api.pending import PendingAssets
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store.port import ObjectInfo

HOUR = 3600.0


class Bucket(MemoryStore):
    """Counts what it lists."""

    listed = 0

    async def list(self, prefix: str, *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        """See the port."""
        async for info in super().list(prefix, start_after=start_after):
            self.listed += 1
            yield info

    async def get_self(self) -> Bucket:
        """As a connection gives it."""
        return self


def id_of(age_s: float, number: int) -> str:
    """A UUIDv7 of a moment so long ago."""
    return str(UUID(int=(int((time.time() - age_s) * 1000) << 80) | (7 << 76) | (2 << 62) | number))


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def rows() -> set[str]:
    return set()


@pytest.fixture
def pending(bucket: Bucket, rows: set[str]) -> PendingAssets:
    def find(asset_id: str) -> int | None:
        return 0 if asset_id in rows else None

    connection: Any = SimpleNamespace(get=bucket.get_self)
    follower: Any = SimpleNamespace(columns=SimpleNamespace(find=find))
    return PendingAssets(connection, follower)


async def store(bucket: Bucket, ids: list[str]) -> None:
    for asset_id in ids:
        await bucket.put(keys.original(asset_id, "jpg"), b"x", content_type="image/jpeg")


async def ids_of(pending: PendingAssets) -> list[str | None]:
    return [keys.asset_id_of(original.key) for original in await pending.list_recent()]


async def test_what_has_its_row_and_is_old_enough_is_listed_once(
    bucket: Bucket, rows: set[str], pending: PendingAssets
) -> None:
    """Two hours of uploads with rows: afterwards only those of the last hour are looked at."""
    old = [id_of(2 * HOUR, number) for number in range(50)]
    new = [id_of(60, number) for number in range(5)]
    await store(bucket, old + new)
    rows.update(old)
    assert await ids_of(pending) == new
    assert bucket.listed == len(old + new)
    bucket.listed = 0
    assert await ids_of(pending) == new
    assert bucket.listed == len(new)


async def test_an_old_one_that_waits_for_its_row_stays_pending(
    bucket: Bucket, rows: set[str], pending: PendingAssets
) -> None:
    """With those after it, until it has its row."""
    first, waiting, last = (id_of(3 * HOUR, number) for number in range(3))
    await store(bucket, [first, waiting, last])
    rows.update([first, last])
    for _ in range(3):
        assert await ids_of(pending) == [waiting]
    rows.add(waiting)
    assert await ids_of(pending) == []
    bucket.listed = 0
    assert await ids_of(pending) == []
    assert bucket.listed == 0


async def test_an_upload_that_took_long_is_found_behind_newer_ones(
    bucket: Bucket, rows: set[str], pending: PendingAssets
) -> None:
    """Its id was made when it began; half an hour later others have come and gone."""
    newer = id_of(60, 1)
    await store(bucket, [newer])
    rows.add(newer)
    assert await ids_of(pending) == []
    slow = id_of(HOUR / 2, 1)
    await store(bucket, [slow])
    assert await ids_of(pending) == [slow]
