"""Fixtures: buckets as the original project's worker leaves them, in a folder or on a real S3 server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from dam.store.opening import open_store
from tests.adopt.bucket import Former
from tests.adopt.original import OriginalWorker
from tests.maintenance.conftest import bench, either_settings, settings, store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.maintenance.settings import MaintenanceSettings
    from dam.store.port import ObjectStore

__all__ = ["bench", "either_settings", "settings", "store"]


@pytest_asyncio.fixture
async def former(settings: MaintenanceSettings, store: ObjectStore) -> Former:
    return Former(settings, store, OriginalWorker(store))


@pytest_asyncio.fixture
async def either_former(either_settings: MaintenanceSettings) -> AsyncIterator[Former]:
    store = await open_store(either_settings)
    yield Former(either_settings, store, OriginalWorker(store))
    await store.close()
