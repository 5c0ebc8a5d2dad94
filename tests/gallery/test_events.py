"""Server-sent events."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.gallery.rig import Rig


@asynccontextmanager
async def listening(rig: Rig, **headers: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Events as a browser sees them: `id`, `event`, `data`."""
    async with rig.client.stream("GET", "/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _read(answer.aiter_lines())


async def _read(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if line:
            event[name] = value
        else:
            if "data" in event:
                yield {**event, "data": json.loads(event["data"])}
            elif "id" in event:
                yield {"id": event["id"], "event": "hello", "data": {}}
            event = {}


async def _take(events: AsyncIterator[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(15):
        return [await anext(events) for _ in range(count)]


async def test_every_change_is_told_whoever_made_it(rig: Rig) -> None:
    """Enriched, failed, edited, deleted, restored, in their order."""
    async with listening(rig) as events:
        await _take(events, 1)
        row = await rig.add("a red boat")
        await rig.edit(row.id, 1, caption="a blue boat")
        await rig.client.delete(f"/assets/{row.id}")
        await rig.client.post(f"/assets/{row.id}/restore")
        await rig.add("broken", event="failed", status="failed")
        told = await _take(events, 5)
    assert [event["event"] for event in told] == ["enriched", "edited", "deleted", "restored", "failed"]
    assert told[1]["data"] == {"id": row.id, "revision": 2, "event": "edited", "status": "ready"}
    assert told[2]["data"]["status"] == "deleted"


async def test_a_client_that_comes_back_goes_on_where_it_was(rig: Rig) -> None:
    """Nothing is told twice or left out, in the middle of a commit too."""
    rows = await rig.add_many([{"caption": f"{number}"} for number in range(3)])
    await rig.add("later")
    version = await rig.catalogue.version() - 1
    async with listening(rig, **{"Last-Event-ID": f"{version}-0"}) as events:
        told = await _take(events, 3)
    assert [event["id"] for event in told] == [f"{version}-1", f"{version}-2", f"{version + 1}-0"]
    assert [event["data"]["id"] for event in told[:2]] == sorted(row.id for row in rows)[1:]


async def test_what_happened_between_hello_and_a_broken_connection_is_told(rig: Rig) -> None:
    """A client that has seen no event yet knows where it began."""
    async with listening(rig) as events:
        [hello] = await _take(events, 1)
    row = await rig.add("a red boat")
    async with listening(rig, **{"Last-Event-ID": hello["id"]}) as events:
        [event] = await _take(events, 1)
    assert event["data"]["id"] == row.id


async def test_what_cannot_be_told_any_more_is_said(rig: Rig) -> None:
    """A client that was away longer than the feed reaches back loads everything again."""
    await rig.add("a red boat")
    await rig.add("a blue boat")
    await rig.get("/assets")
    table = rig.settings.data_dir / "bucket" / "metadata" / "images"
    for file in table.glob("*.parquet"):  # what vacuum leaves of versions that nobody should need
        file.unlink()
    async with listening(rig, **{"Last-Event-ID": "0-0"}) as events:
        [event] = await _take(events, 1)
    assert event["event"] == "reset"


async def test_a_client_of_another_catalogue_starts_anew(rig: Rig) -> None:
    """The bucket was emptied and filled again: an id from the future is told so, and nothing is missed."""
    async with listening(rig, **{"Last-Event-ID": "9999-0"}) as events:
        _, reset = await _take(events, 2)
        row = await rig.add("a red boat")
        [event] = await _take(events, 1)
    assert reset["event"] == "reset"
    assert event["data"]["id"] == row.id
    async with listening(rig, **{"Last-Event-ID": reset["id"]}) as events:
        [again] = await _take(events, 1)
    assert again == event
