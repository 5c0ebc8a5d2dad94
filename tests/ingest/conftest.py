"""The upload API on fakes, for tests of its behaviour over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.ingest.serving import Service, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with running(max_file_bytes=100_000, max_files=20) as started:
        yield started
