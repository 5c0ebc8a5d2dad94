"""Fifty people edit one asset at once, each with a connection of their own, at two gallery processes."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gallery_api.settings import GallerySettings
from tests.gallery.rig import open_rig, serving
from tests.store.opening import bucket_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.gallery.rig import Rig

CLIENTS = 50
OK, LOST = httpx.codes.OK, httpx.codes.PRECONDITION_FAILED


@pytest.fixture
def settings(tmp_path: Path) -> GallerySettings:
    return GallerySettings(data_dir=tmp_path, frontend_dir=tmp_path / "none")


@pytest.fixture(params=["folder", "radosgw"])
def either_settings(request: pytest.FixtureRequest, settings: GallerySettings) -> GallerySettings:
    if request.param == "folder":
        return settings
    bucket = bucket_settings(request.getfixturevalue("radosgw")).model_dump()
    own = {"data_dir": settings.data_dir, "frontend_dir": settings.frontend_dir}
    return GallerySettings.model_validate(bucket | own)


@asynccontextmanager
async def fifty_clients(rig: Rig) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Half of them at each of two galleries on the same bucket."""
    async with serving(rig.settings, rig.queue) as other, AsyncExitStack() as stack:
        homes = itertools.cycle([rig.client.base_url, other.base_url])
        yield [
            await stack.enter_async_context(httpx.AsyncClient(base_url=home, timeout=60))
            for home in itertools.islice(homes, CLIENTS)
        ]


async def patch(
    client: httpx.AsyncClient, asset_id: str, etag: str, values: dict[str, Any]
) -> httpx.Response:
    return await client.patch(f"/assets/{asset_id}", json=values, headers={"If-Match": etag})


async def add_tag(client: httpx.AsyncClient, asset_id: str, tag: str) -> int:
    """As a careful program edits: read, change, send; after a 412 again. Times it lost."""
    shown = (await client.get(f"/assets/{asset_id}")).json()
    for lost in itertools.count():
        etag, tags = f'"{shown["revision"]}"', [*shown["tags"], tag]
        answer = await patch(client, asset_id, etag, {"tags": tags})
        if answer.status_code == OK:
            assert answer.json()["tags"] == tags
            return lost
        assert answer.status_code == LOST, answer.text
        shown = answer.json()["current"]
    raise AssertionError


async def test_nobodys_edit_is_lost(settings: GallerySettings) -> None:
    """Each tries until its own edit is in: all are there, one a revision, without a gap or a repeat."""
    async with open_rig(settings) as rig, fifty_clients(rig) as clients:
        row = await rig.add("a red boat")
        tags = [f"client-{number}" for number in range(CLIENTS)]
        lost = await asyncio.gather(
            *(add_tag(client, row.id, tag) for client, tag in zip(clients, tags, strict=True))
        )
        assert sum(lost) > CLIENTS, "they really raced"
        history = (await rig.get(f"/assets/{row.id}/history"))["items"][::-1]
        assert [item["revision"] for item in history] == list(range(1, CLIENTS + 2))
        for before, after in itertools.pairwise(history):
            [change] = after["changes"]
            assert (change["field"], change["before"]) == ("tags", before["row"]["tags"])
            assert len(change["after"]) == len(change["before"]) + 1
        assert sorted(history[-1]["row"]["tags"]) == sorted(tags)


async def test_of_fifty_that_do_not_try_again_one_wins_each_revision(
    either_settings: GallerySettings,
) -> None:
    """The others are shown what won, and leave no trace in the history."""
    async with open_rig(either_settings) as rig, fifty_clients(rig) as clients:
        row = await rig.add("a red boat")
        winners = []
        for revision in range(1, 6):
            answers = await asyncio.gather(
                *(
                    patch(client, row.id, f'"{revision}"', {"title": f"{revision} of {number}"})
                    for number, client in enumerate(clients)
                )
            )
            won = [answer for answer in answers if answer.status_code == OK]
            lost = [answer for answer in answers if answer.status_code == LOST]
            assert (len(won), len(lost)) == (1, CLIENTS - 1)
            assert {answer.json()["current"]["title"] for answer in lost} == {won[0].json()["title"]}
            winners.append(won[0].json()["title"])
        history = (await rig.get(f"/assets/{row.id}/history"))["items"][::-1]
        assert [item["revision"] for item in history] == list(range(1, 7))
        assert [item["row"]["title"] for item in history] == [None, *winners]
