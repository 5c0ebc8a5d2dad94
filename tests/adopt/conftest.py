"""Fixtures: buckets as the original project's worker leaves them, in a folder or on a real S3 server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from dam.maintenance.settings import MaintenanceSettings
from dam.store.opening import open_store
from tests.adopt.bucket import Former
from tests.adopt.original import OriginalWorker
from tests.maintenance.conftest import either_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ["either_settings"]


@pytest_asyncio.fixture
async def former(tmp_path: Path) -> AsyncIterator[Former]:
    settings = MaintenanceSettings(data_dir=tmp_path)
    store = await open_store(settings)
    yield Former(settings, store, OriginalWorker(store))
    await store.close()


@pytest_asyncio.fixture
async def either_former(either_settings: MaintenanceSettings) -> AsyncIterator[Former]:
    store = await open_store(either_settings)
    yield Former(either_settings, store, OriginalWorker(store))
    await store.close()
