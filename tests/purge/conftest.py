"""Fixtures: a bucket in a folder, and one that is a folder or on a real S3 server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from dam.settings import DamSettings
from tests.purge.bucket import Bucket, open_bucket
from tests.store.opening import bucket_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest


@pytest_asyncio.fixture
async def bucket(tmp_path: Path) -> AsyncIterator[Bucket]:
    async with open_bucket(DamSettings(data_dir=tmp_path)) as opened:
        yield opened


@pytest_asyncio.fixture(params=["folder", "radosgw"])
async def either_bucket(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bucket]:
    if request.param == "folder":
        settings = DamSettings(data_dir=tmp_path)
    else:
        settings = bucket_settings(request.getfixturevalue("radosgw"))
    async with open_bucket(settings) as opened:
        yield opened
