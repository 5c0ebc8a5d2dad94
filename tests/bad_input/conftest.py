"""One set of services for all tests of this folder, and one sending of the whole corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest_asyncio

from tests.bad_input.corpus import Corpus, send_all
from tests.bad_input.running import Stack, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stack(
    radosgw: Radosgw, rabbitmq: RabbitMq, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    environment = radosgw.environment(radosgw.create_bucket())
    environment["DAM_QUEUE_URL"] = rabbitmq.new_vhost()
    async with running(environment, tmp_path_factory.mktemp("bad-input")) as started:
        yield started


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def corpus(stack: Stack) -> Corpus:
    async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
        return await send_all(stack, client)
