"""Fixtures: whole buckets, in a folder or on a real S3 server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.maintenance.conftest import either_settings
from tests.verify.bucket import Verified, open_verified

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.maintenance.settings import MaintenanceSettings

__all__ = ["either_settings"]


@pytest_asyncio.fixture
async def verified(either_settings: MaintenanceSettings) -> AsyncIterator[Verified]:
    async with open_verified(either_settings) as opened:
        yield opened


@pytest.fixture
def local_settings(tmp_path: Path) -> MaintenanceSettings:
    from dam.maintenance.settings import MaintenanceSettings  # noqa: PLC0415 - for types above

    return MaintenanceSettings(data_dir=tmp_path)
