"""Fixtures of the maintenance tests: settings of a private bucket, in a folder or on radosgw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from dam.maintenance.settings import MaintenanceSettings
from dam.store.opening import open_store
from tests.fakes.store import MemoryStore
from tests.maintenance.rows import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from dam.store.port import ObjectStore
    from tests.services.radosgw import Radosgw


@pytest.fixture
def settings(tmp_path: Path) -> MaintenanceSettings:
    return MaintenanceSettings(data_dir=tmp_path)


@pytest.fixture(params=["folder", "radosgw"])
def either_settings(request: pytest.FixtureRequest, tmp_path: Path) -> MaintenanceSettings:
    if request.param == "folder":
        return MaintenanceSettings(data_dir=tmp_path)
    server: Radosgw = request.getfixturevalue("radosgw")
    environment = server.environment(server.create_bucket())
    fields = {name.removeprefix("DAM_").lower(): value for name, value in environment.items()}
    return MaintenanceSettings.model_validate({"data_dir": tmp_path, **fields})


@pytest_asyncio.fixture
async def store(settings: MaintenanceSettings) -> AsyncIterator[ObjectStore]:
    opened = await open_store(settings)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def either_store(either_settings: MaintenanceSettings) -> AsyncIterator[ObjectStore]:
    opened = await open_store(either_settings)
    yield opened
    await opened.close()


@pytest.fixture
def bench(settings: MaintenanceSettings, store: ObjectStore, tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.open(settings, store, tmp_path / "temporary")
    yield opened
    opened.close()


@pytest.fixture
def either_bench(
    either_settings: MaintenanceSettings, either_store: ObjectStore, tmp_path: Path
) -> Iterator[Bench]:
    opened = Bench.open(either_settings, either_store, tmp_path / "temporary")
    yield opened
    opened.close()


@pytest.fixture
def memory_bench(settings: MaintenanceSettings, tmp_path: Path) -> Iterator[Bench]:
    opened = Bench.open(settings, MemoryStore(), tmp_path / "temporary")
    yield opened
    opened.close()
