"""Both places where the catalogue may lie: a folder, and a bucket of a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dam.catalogue import Catalogue
from dam.settings import DamSettings
from tests.store.opening import bucket_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(params=["folder", "s3"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> DamSettings:
    if request.param == "folder":
        return DamSettings(data_dir=tmp_path)
    return bucket_settings(request.getfixturevalue("radosgw"))


@pytest.fixture
async def catalogue(settings: DamSettings) -> AsyncIterator[Catalogue]:
    opened = await Catalogue.open(settings)
    yield opened
    await opened.close()
