"""The adapters under the contract: the fake that other tests use, a folder, a bucket of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dam.settings import DamSettings
from dam.store import open_store
from dam.store.folder import FolderStore
from tests.fakes.store import MemoryStore
from tests.store.opening import bucket_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.store import ObjectStore


@pytest.fixture(params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> DamSettings:
    if request.param == "folder":
        return DamSettings(data_dir=tmp_path)
    return bucket_settings(request.getfixturevalue("radosgw"))


@pytest.fixture
async def real_store(settings: DamSettings) -> AsyncIterator[ObjectStore]:
    opened = await open_store(settings)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "folder", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    opened: ObjectStore = MemoryStore()
    if request.param == "folder":
        opened = await open_store(DamSettings(data_dir=tmp_path))
    elif request.param == "s3":
        opened = await open_store(bucket_settings(request.getfixturevalue("radosgw")))
    yield opened
    await opened.close()


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[FolderStore]:
    opened = FolderStore(tmp_path / "bucket")
    yield opened
    await opened.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "bucket"
