"""Fixtures of the index's tests: a bench on a folder, or on both adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from dam.settings import DamSettings
from tests.search.bench import IndexBench, open_bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from tests.services.radosgw import Radosgw


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[IndexBench]:
    async with open_bench(DamSettings(data_dir=tmp_path)) as opened:
        yield opened


@pytest_asyncio.fixture(params=["folder", "radosgw"])
async def either_bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[IndexBench]:
    fields: dict[str, str] = {}
    if request.param == "radosgw":
        server: Radosgw = request.getfixturevalue("radosgw")
        environment = server.environment(server.create_bucket())
        fields = {name.removeprefix("DAM_").lower(): value for name, value in environment.items()}
    async with open_bench(DamSettings.model_validate({"data_dir": tmp_path, **fields})) as opened:
        yield opened
