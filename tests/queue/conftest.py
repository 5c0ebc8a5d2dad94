"""Both adapters for the contract: the embedded file, and a vhost of a real broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.queue.opening import open_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from dam.queue import JobQueue


@pytest.fixture(params=["sqlite", "amqp"])
def queue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite://{tmp_path / 'queue.sqlite'}"
    url: str = request.getfixturevalue("rabbitmq").new_vhost()
    return url


@pytest.fixture
async def queue(queue_url: str) -> AsyncIterator[JobQueue]:
    opened = await open_at(queue_url)
    yield opened
    await opened.close()
