"""The original project's worker, as far as its bucket shows it: it knows nothing of this pipeline.

For each picture: the original under a random name, its vector as JSON, and the one Parquet file read, grown
by a row and written anew.
"""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from dam.errors import ObjectNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.store.port import ObjectStore

_COLUMNS = ("id", "filename", "r2_key", "vector_key", "mime_type", "caption")
TABLE = "metadata/images.parquet"
DIM = 8
FORMS: list[Callable[[str, list[float]], Any]] = [
    lambda _, vector: vector,
    lambda _, vector: {"embedding": vector},
    lambda asset_id, vector: {"id": asset_id, "vector": vector},
    lambda _, vector: [vector],
]
"""How it has stored vectors, over time."""


def draw(seed: int, kind: str = "JPEG") -> bytes:
    """A picture; each seed gives another."""
    image = Image.new("RGB", (400, 300), (seed * 37 % 256, seed * 91 % 256, seed % 256))
    image.putpixel((seed % 400, 0), (255, 255, 255))
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def vector_of(seed: int) -> list[float]:
    """Its vector."""
    return [1.0 + (seed * at) % 7 for at in range(DIM)]


@dataclass
class OriginalWorker:
    """Writes one bucket."""

    store: ObjectStore
    prefix: str = "assets/"
    done: int = 0

    async def process(self, data: bytes, caption: str | None, **changed: Any) -> str:
        """One picture, under a new id, which is returned; `changed` columns of its row are written wrong."""
        asset_id, seed = str(uuid.uuid4()), self.done
        key = f"{self.prefix}{asset_id}.jpg"
        # Now and then it forgot to say what it stores.
        named = "image/jpeg" if seed % 2 else "application/octet-stream"
        await self.store.put(key, data, content_type=named)
        vector_key = f"vectors/{asset_id}.json"
        body = FORMS[seed % len(FORMS)](asset_id, vector_of(seed))
        await self.store.put(vector_key, json.dumps(body).encode(), content_type="application/json")
        row = {
            "id": asset_id,
            "filename": f"Füße {seed}.jpg",
            "r2_key": key,
            "vector_key": vector_key,
            "mime_type": "image/jpeg",
            "caption": caption,
        }
        await self.grow({**row, **changed})
        self.done += 1
        return asset_id

    async def grow(self, row: dict[str, Any]) -> None:
        """Read the table, add a row, write it all."""
        schema = pa.schema([(name, pa.string()) for name in _COLUMNS])
        table = pa.Table.from_pylist([row], schema=schema)
        try:
            before = pq.read_table(io.BytesIO((await self.store.get(TABLE)).data))
        except ObjectNotFoundError:
            pass
        else:
            table = pa.concat_tables([before, table])
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        await self.store.put(TABLE, buffer.getvalue())

    async def process_all(self, count: int) -> list[str]:
        """So many sound pictures."""
        return [await self.process(draw(self.done), f"caption {self.done}") for _ in range(count)]
