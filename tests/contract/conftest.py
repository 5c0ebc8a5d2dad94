"""The services as processes, and a catalogue with a few assets of every status."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest
import pytest_asyncio
import schemathesis

from tests.bad_input.running import running
from tests.contract.conforming import Answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from dam.local.addresses import Addresses

_SAMPLES: Final = sorted((Path(__file__).parents[2] / "samples").glob("*.png"))[:6]
_BROKEN: Final = 400
"""Bytes of a sample that make an asset which fails."""


@dataclass(frozen=True, slots=True)
class Served:
    """Where the services are, ids in their catalogue (of pictures, and of one that failed), and a picture."""

    addresses: Addresses
    ids: Sequence[str]
    failed: str
    picture: bytes


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with running({}, tmp_path_factory.mktemp("contract")) as stack, httpx.AsyncClient() as client:
        files = [path.read_bytes() for path in _SAMPLES]
        files.append(files[0][:_BROKEN])
        form = [("files", (f"{number}.png", data)) for number, data in enumerate(files)]
        answer = await client.post(f"{stack.addresses.ingest}/upload", files=form)
        ids = [file["id"] for file in answer.raise_for_status().json()["files"]]
        async with asyncio.timeout(60):
            for asset_id in ids:
                while (await _status(client, stack.addresses.gallery, asset_id)) == "pending":  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        yield Served(stack.addresses, ids[:-1], ids[-1], files[0])


async def _status(client: httpx.AsyncClient, gallery: str, asset_id: str) -> str:
    return str((await client.get(f"{gallery}/api/assets/{asset_id}")).json()["status"])


@pytest.fixture(autouse=True)
def node_id(request: pytest.FixtureRequest) -> None:
    """Schemathesis 4.32 reads and sets this attribute of a test, which pytest 9.2 has no more."""
    request.node._nodeid = request.node.nodeid


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    """Every operation that a module's tests have asked must have worked at least once."""
    kept = Answers()
    yield kept
    assert kept.never_good() == {}, "These were only ever refused: the tests have not reached them."


@pytest.fixture(scope="module")
def ingest_schema(served: Served) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{served.addresses.ingest}/openapi.json")


@pytest.fixture(scope="module")
def bento_schema(served: Served) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"{served.addresses.bento}/openapi.json")
