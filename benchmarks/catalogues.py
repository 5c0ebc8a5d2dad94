"""Generated catalogues for measurements: rows as the orchestrator makes them, with CLIP-like vectors.

Vectors have 512 numbers: 2,000 centres whose shares follow a power law, with Gaussian spread around them.
Everything follows from the seed. The rows go into a real catalogue table in files of about 50 MB, as
compaction leaves them; one asset in 500 has failed, and has neither caption nor vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from dam import keys
from dam.catalogue.row import SCHEMA, SCHEMA_VERSION
from dam.catalogue.storage import TableHandle
from dam.store.delta import delta_location

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from dam.settings import DamSettings

SEED: Final = 20_260_504
DIM: Final = 512
CENTRES: Final = 2_000
POWER: Final = 0.8
SPREAD: Final = 0.6
"""Length of the noise beside a centre of length 1: neighbours have a cosine of about 0.7, as CLIP's have."""
MODEL: Final = "clip-like@1"
AT_ONCE: Final = 25_000
_FIRST_MS: Final = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
_APART_MS: Final = 180_000
_COLOURS: Final = ("red", "blue", "green", "white", "black", "yellow", "pink", "grey")
_TAGS: Final = 200
_FAILED_EVERY: Final = 500
_CAPTIONER: Final = "blip-like@1"
_PLACEHOLDER: Final = "tFgGHYL4J7h5hnh9g1uoiAeGgp/X"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What was generated: ids by number, vectors as a file of float32, texts made from number and centre."""

    ids: list[str]
    vectors: NDArray[np.float32]
    centres: NDArray[np.int64]
    is_ready: NDArray[np.bool_]

    def query(self, number: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """A vector near that of an asset, but of no asset."""
        noise = rng.standard_normal(DIM).astype(np.float32) * (0.4 / np.sqrt(DIM))
        vector = self.vectors[number] + noise
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def words(self, number: int) -> str:
        """What somebody who looks for an asset would type."""
        return _caption(number, int(self.centres[number]))


def generate(settings: DamSettings, size: int, vectors_path: Path) -> Catalogue:
    """Write `size` assets into the catalogue that the settings name."""
    rng, middle, centres = _plan(size)
    kept = np.memmap(vectors_path, np.float32, "w+", shape=(size, DIM))
    handle = TableHandle.open(*delta_location(settings))
    for start in range(0, size, AT_ONCE):
        end = min(start + AT_ONCE, size)
        noise = rng.standard_normal((end - start, DIM)).astype(np.float32) * (SPREAD / np.sqrt(DIM))
        kept[start:end] = _normalise(middle[centres[start:end]] + noise)
        rows = make_rows(range(start, end), centres[start:end], kept[start:end])
        write_deltalake(handle.delta, rows, mode="append")
    return reopen(size, vectors_path)


def reopen(size: int, vectors_path: Path) -> Catalogue:
    """What `generate` has returned, when its files are still there."""
    _, _, centres = _plan(size)
    vectors = np.memmap(vectors_path, np.float32, "r", shape=(size, DIM))
    return Catalogue(
        [_make_id(number) for number in range(size)], vectors, centres, _are_ready(np.arange(size))
    )


def _plan(size: int) -> tuple[np.random.Generator, NDArray[np.float32], NDArray[np.int64]]:
    """The generator as it is left, the centres, and which of them each asset belongs to."""
    rng = np.random.default_rng(SEED)
    middle = _normalise(rng.standard_normal((CENTRES, DIM)).astype(np.float32))
    share = 1 / np.arange(1, CENTRES + 1) ** POWER
    return rng, middle, rng.choice(CENTRES, size, p=share / share.sum())


def make_rows(numbers: range, centres: NDArray[np.int64], vectors: NDArray[np.float32]) -> pa.Table:
    """Rows of the assets with these numbers, each of them near its centre."""
    count = len(numbers)
    ids = [_make_id(number) for number in numbers]
    times = [datetime.fromtimestamp((_FIRST_MS + number * _APART_MS) / 1000, UTC) for number in numbers]
    ready = _are_ready(np.array(numbers))
    columns: dict[str, Any] = {
        "id": ids,
        "filename": [f"IMG_{number:07}.jpg" for number in numbers],
        "r2_key": [keys.original(asset_id, "jpg") for asset_id in ids],
        "mime_type": ["image/jpeg" if number % 5 else "image/png" for number in numbers],
        "revision": np.ones(count, np.int64),
        "change_id": ids,
        "schema_version": np.full(count, SCHEMA_VERSION, np.int32),
        "event": np.where(ready, "enriched", "failed").tolist(),
        "recorded_at": times,
        "received_at": times,
        "actor": ["orchestrator"] * count,
        "status": np.where(ready, "ready", "failed").tolist(),
        "asset_type": ["image"] * count,
        "size_bytes": [100_000 + number % 7_000_000 for number in numbers],
        "width": [4000 if number % 3 else 3000 for number in numbers],
        "height": [3000 if number % 3 else 4000 for number in numbers],
        "tags": [list(_make_tags(number)) for number in numbers],
        "attempts": np.ones(count, np.int32),
    }
    captions = [_caption(number, int(centre)) for number, centre in zip(numbers, centres, strict=True)]
    enriched = {
        "vector_key": [keys.vector(asset_id) for asset_id in ids],
        "caption": captions,
        "caption_by": [_CAPTIONER] * count,
        "embedding_by": [MODEL] * count,
        "placeholder": [_PLACEHOLDER] * count,
    }
    for name, values in enriched.items():
        columns[name] = pa.array(values, pa.string(), mask=~ready)
    columns["embedding"] = _list_vectors(vectors, ready)
    arrays = [pa.array(columns.get(field.name, [None] * count), field.type) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _list_vectors(vectors: NDArray[np.float32], ready: NDArray[np.bool_]) -> pa.ListArray:
    """The vectors of the ready assets, and null for the others."""
    ends = np.concatenate([[0], np.cumsum(ready) * DIM])
    offsets = pa.array(ends.astype(np.int32), mask=np.append(~ready, False))
    return pa.ListArray.from_arrays(offsets, pa.array(vectors[ready].reshape(-1)))


def _are_ready(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(numbers % _FAILED_EVERY != 0)


def _make_id(number: int) -> str:
    """A UUIDv7 of the asset's time, with its number in the end."""
    return str(UUID(int=(_FIRST_MS + number * _APART_MS) << 80 | 0x7 << 76 | 0x2 << 62 | number))


def _caption(number: int, centre: int) -> str:
    colour, other = _COLOURS[number % 8], _COLOURS[number // 8 % 8]
    return f"a {colour} thing{centre} with a {other} thing{number * 7 % CENTRES} on a table"


def _make_tags(number: int) -> Iterator[str]:
    for at in range(number % 4):
        yield f"tag{(number * (at + 3)) % _TAGS}"


def _normalise(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
