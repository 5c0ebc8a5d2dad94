"""A catalogue and the keeper of its index, with a reader beside them, on one bucket."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from dam.catalogue import Catalogue, Change, Committed
from dam.catalogue.storage import TableHandle
from dam.ids import new_id
from dam.maintenance.worker import Worker
from dam.search.keeper import IndexKeeper
from dam.search.reader import IndexReader
from dam.search.words import query_words
from dam.store.delta import delta_location, lance_location
from dam.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from numpy.typing import NDArray

    from dam.catalogue import Row
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore

DIM = 16


def vector(text: str, dim: int = DIM) -> NDArray[np.float32]:
    """A vector of length 1 that depends on the text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    values = np.random.default_rng(seed).standard_normal(dim)
    return np.asarray(values / np.linalg.norm(values), np.float32)


@dataclass
class IndexBench:
    """`keeper` steps when the test says so; `reader` sees what is published."""

    settings: DamSettings
    store: ObjectStore
    catalogue: Catalogue
    worker: Worker
    keeper: IndexKeeper
    reader: IndexReader

    async def add(self, caption: str, model: str = "clip@1", dim: int = DIM, **fields: Any) -> Row:
        """An enriched asset."""
        values = {
            "caption": caption,
            "filename": "picture.jpg",
            "received_at": datetime.now(UTC),
            "embedding": [float(value) for value in vector(caption, dim)],
            "embedding_by": model,
        }
        return await self.change(new_id(), 0, "enriched", "ready", {**values, **fields})

    async def change(
        self, asset_id: str, expected: int, event: Any, status: Any, values: dict[str, Any]
    ) -> Row:
        """One more revision."""
        [outcome] = await self.catalogue.commit(
            [Change(asset_id, new_id(), expected, event, status, "person:anna", values)]
        )
        assert isinstance(outcome, Committed), outcome
        return outcome.row

    async def new_keeper(self) -> IndexKeeper:
        """What another process, or this one after a restart, would begin with."""
        worker = self.worker
        handle = await worker.run(TableHandle.open, *delta_location(self.settings))
        return IndexKeeper(self.store, handle, worker, lance_location(self.settings))

    async def step(self) -> None:
        """Keep, then look."""
        await self.keeper.step()
        await self.reader.refresh(self.store)

    async def named(self, words: str) -> set[str]:
        """Ids that have the words."""
        return {hit.id for hit in await self.reader.with_words(query_words(words), 100)}

    async def near(self, caption: str, dim: int = DIM) -> list[str]:
        """Ids whose vector is (almost) that of a caption."""
        hits = await self.reader.nearest(vector(caption, dim), 100)
        return [hit.id for hit in hits if hit.score > 0.99]


@contextlib.asynccontextmanager
async def open_bench(settings: DamSettings) -> AsyncIterator[IndexBench]:
    """Everything opened, nothing indexed."""
    store = await open_store(settings)
    catalogue = await Catalogue.open(settings)
    worker = Worker("index")
    handle = await worker.run(TableHandle.open, *delta_location(settings))
    keeper = IndexKeeper(store, handle, worker, lance_location(settings))
    reader = IndexReader(settings)
    try:
        yield IndexBench(settings, store, catalogue, worker, keeper, reader)
    finally:
        reader.close()
        worker.close()
        await catalogue.close()
        await store.close()
