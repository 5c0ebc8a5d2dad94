"""A gallery in this process behind a real HTTP server: real catalogue, index and store, a Bento of words."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from PIL import Image

from dam import keys
from dam.catalogue import Catalogue, Change, Committed
from dam.catalogue.storage import TableHandle
from dam.ids import new_id
from dam.maintenance.worker import Worker
from dam.search.keeper import IndexKeeper
from dam.store.delta import delta_location, lance_location
from dam.store.opening import open_store
from gallery_api.app import create_app
from tests.fakes.queue import MemoryQueue
from tests.gallery.bento import MODEL, TextBento, embed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dam.catalogue import Row
    from dam.queue.port import JobQueue
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore
    from gallery_api.settings import GallerySettings

RECEIVED_AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def draw(seed: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small JPEG; each seed gives other bytes."""
    image = Image.new("RGB", size, (seed * 37 % 256, seed * 91 % 256, seed % 256))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue() + seed.to_bytes(4, "big")


@dataclass
class Rig:
    """A bucket with everything that a gallery reads, and the means to change it from outside."""

    settings: GallerySettings
    store: ObjectStore
    catalogue: Catalogue
    queue: MemoryQueue
    bento: TextBento
    client: httpx.AsyncClient
    keeper: IndexKeeper
    made: int = 0

    async def add(self, caption: str, **fields: Any) -> Row:
        """What the orchestrator commits for one picture; `fields` win over what is usual."""
        return (await self.add_many([{"caption": caption, **fields}]))[0]

    async def add_many(self, pictures: Sequence[dict[str, Any]]) -> list[Row]:
        """The same for several, in one commit."""
        changes = [self._change(dict(picture)) for picture in pictures]
        rows = []
        for outcome in await self.catalogue.commit(changes):
            assert isinstance(outcome, Committed), outcome
            rows.append(outcome.row)
        return rows

    def _change(self, values: dict[str, Any]) -> Change:
        self.made += 1
        asset_id = values.pop("id", None) or new_id()
        event, status = values.pop("event", "enriched"), values.pop("status", "ready")
        vector = values.pop("vector", embed(values["caption"]))
        known = {
            "filename": f"picture-{self.made:04}.jpg",
            "r2_key": keys.original(asset_id, "jpg"),
            "vector_key": keys.vector(asset_id),
            "mime_type": "image/jpeg",
            "received_at": RECEIVED_AT + timedelta(minutes=self.made),
            "asset_type": "image",
            "size_bytes": 1000 + self.made,
            "sha256": hashlib.sha256(asset_id.encode()).hexdigest(),
            "width": 64,
            "height": 48,
            "caption_by": "blip@1",
            "embedding_by": MODEL,
            "embedding": vector,
            "placeholder": "tFgGHYL4J7h5",
            "attempts": 1,
        }
        return Change(asset_id, new_id(), 0, event, status, "orchestrator", {**known, **values})

    async def put_original(self, row: Row, data: bytes) -> None:
        """The bytes of an asset that is in the catalogue."""
        assert row.r2_key
        await self.store.put(row.r2_key, data, content_type=row.mime_type or "image/jpeg")

    async def index(self) -> None:
        """Bring the index up to the catalogue, and wait until the gallery has seen it."""
        await self.keeper.step()
        version = await self.catalogue.version()
        async with asyncio.timeout(10):
            while True:
                state = (await self.get("/stats"))["index"]
                if state["version"] == version:
                    return
                await asyncio.sleep(0.02)

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET that works."""
        answer = await self.client.get(path, params=params)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def ids(self, path: str = "/assets", **params: Any) -> list[str]:
        """Ids of the assets in a list."""
        return [item["id"] for item in (await self.get(path, **params))["items"]]

    async def search(self, **params: Any) -> list[str]:
        """Captions of what a search finds."""
        return [item["asset"]["caption"] for item in (await self.get("/search", **params))["items"]]

    async def ids_found(self, **params: Any) -> list[str]:
        """Ids of what a search finds."""
        return [item["asset"]["id"] for item in (await self.get("/search", **params))["items"]]

    async def edit(self, row_id: str, revision: int, **fields: Any) -> httpx.Response:
        """A PATCH."""
        return await self.client.patch(
            f"/assets/{row_id}", json=fields, headers={"If-Match": f'"{revision}"'}
        )


@contextlib.asynccontextmanager
async def serving(settings: GallerySettings, queue: MemoryQueue) -> AsyncIterator[httpx.AsyncClient]:
    """The app behind a server on a free port; a client of its API."""

    async def open_queue(_: DamSettings) -> JobQueue:
        return queue

    app = create_app(settings, queue_opener=open_queue)
    await app.state.gallery.open()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http="httptools", lifespan="on", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - the server offers no event
            await asyncio.sleep(0.005)
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        async with httpx.AsyncClient(base_url=base, timeout=60) as client:
            yield client
        await app.state.gallery.events.stop()
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def open_rig(settings: GallerySettings) -> AsyncIterator[Rig]:
    """A rig on the bucket that the settings name; `bento_url` is its own Bento's."""
    bento = TextBento()
    await bento.start()
    settings = settings.model_copy(update={"bento_url": bento.url, "follow_s": 0.1})
    store = await open_store(settings)
    catalogue = await Catalogue.open(settings)
    queue = MemoryQueue(second_s=0.01)
    worker = Worker("keeper")
    handle = await worker.run(TableHandle.open, *delta_location(settings))
    keeper = IndexKeeper(store, handle, worker, lance_location(settings))
    try:
        async with serving(settings, queue) as client:
            yield Rig(settings, store, catalogue, queue, bento, client, keeper)
    finally:
        worker.close()
        await catalogue.close()
        await queue.close()
        await store.close()
        await bento.stop()
