"""Fixtures of the gallery's tests: a gallery on a folder, or on radosgw where a test asks for both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from gallery_api.settings import GallerySettings
from tests.gallery.rig import Rig, open_rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.services.radosgw import Radosgw


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none")) as opened:
        yield opened


@pytest_asyncio.fixture
async def s3_rig(radosgw: Radosgw, tmp_path: Path) -> AsyncIterator[Rig]:
    environment = radosgw.environment(radosgw.create_bucket())
    fields = {name.removeprefix("DAM_").lower(): value for name, value in environment.items()}
    settings = GallerySettings.model_validate(
        {"data_dir": tmp_path, "frontend_dir": tmp_path / "none", **fields}
    )
    async with open_rig(settings) as opened:
        yield opened


@pytest.fixture
def captions() -> list[str]:
    return ["a red boat", "a red house", "a blue boat", "a green tree", "a white cat on a red boat"]
