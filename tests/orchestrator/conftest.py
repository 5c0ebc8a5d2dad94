"""Fixtures of the orchestrator's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.orchestrator.rig import Rig, open_rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path) as rig:
        yield rig
