"""Fixtures: a bucket in a folder, or on a real S3 server, and a folder to export to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from dam.maintenance.settings import MaintenanceSettings
from tests.export.exporting import Exports
from tests.purge.bucket import open_bucket
from tests.store.opening import bucket_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> MaintenanceSettings:
    return MaintenanceSettings(data_dir=tmp_path / "data")


@pytest_asyncio.fixture
async def exports(settings: MaintenanceSettings, tmp_path: Path) -> AsyncIterator[Exports]:
    async with open_bucket(settings) as bucket:
        yield Exports(settings, bucket, tmp_path / "out")


@pytest_asyncio.fixture(params=["folder", "radosgw"])
async def either_exports(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Exports]:
    if request.param == "folder":
        settings = MaintenanceSettings(data_dir=tmp_path / "data")
    else:
        values = bucket_settings(request.getfixturevalue("radosgw")).model_dump()
        settings = MaintenanceSettings.model_validate(values)
    async with open_bucket(settings) as bucket:
        yield Exports(settings, bucket, tmp_path / "out")
