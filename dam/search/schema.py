"""The index's rows: what is filtered by, the words to find, the vector, and the whole row as one JSON text.

Fifty results lie scattered over the table: read as one column they are fifty reads, read as the thirty-three
columns of the catalogue they would be thirty-three times as many.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import from_json

from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.search.words import index_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FILTERED: Final = (
    "id",
    "revision",
    "status",
    "asset_type",
    "mime_type",
    "embedding_by",
    "received_at",
    "size_bytes",
    "width",
    "height",
    "tags",
    "rating",
)
ROW: Final = "row"
WORDS: Final = "words"
VECTOR: Final = "vector"
PART_ROWS: Final = 4096
"""Of each part of the vectors' index, on average."""
_EMPTY: Final[dict[str, Any]] = dict.fromkeys(SNAPSHOT_SCHEMA.names)
_TIMES: Final = [field.name for field in SNAPSHOT_SCHEMA if pa.types.is_timestamp(field.type)]
_ID: Final = slice(len('{"id": "'), len('{"id": "') + 36)
_encode: Final = json.JSONEncoder(default=datetime.isoformat, ensure_ascii=False).encode
TEXT_FIELDS: Final = ("filename", "caption", "tags", "title", "description", "text")
"""Fields whose words are found, and that a search names as the reason for a result."""


def index_schema(dim: int) -> pa.Schema:
    """Columns of a table whose vectors have `dim` numbers."""
    return pa.schema(
        [
            *(SNAPSHOT_SCHEMA.field(name) for name in FILTERED),
            pa.field(ROW, pa.string(), nullable=False),
            pa.field(WORDS, pa.string()),
            pa.field(VECTOR, pa.list_(pa.float32(), dim)),
        ]
    )


def write_row(values: Mapping[str, Any]) -> str:
    """A catalogue row as the index keeps it; nulls are left out."""
    kept = {name: value for name, value in values.items() if value is not None}
    return _encode(kept)


def id_of(text: str) -> str:
    """The id of a row that is kept so, without reading the rest: it always stands first."""
    return text[_ID]


def read_row(text: str) -> dict[str, Any]:
    """A row by column name, as the catalogue has it."""
    values: dict[str, Any] = {**_EMPTY, **from_json(text)}
    for name in _TIMES:
        if values[name]:
            values[name] = datetime.fromisoformat(values[name])
    return values


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """A row's searchable texts by field, without the empty ones; tags stand in one text."""
    texts = {name: text for name in TEXT_FIELDS if (text := values.get(name))}
    if "tags" in texts:
        texts["tags"] = " ; ".join(texts["tags"])
    return texts


def make_rows(
    rows: pa.Table, model: str | None, dim: int, vectors: Mapping[str, NDArray[np.float32]]
) -> pa.Table:
    """Catalogue rows as index rows, with the vectors of `model` alone.

    A vector stands in the row's own `embedding`, or in `vectors` by id; a row without either has none.
    """
    values = rows.select(SNAPSHOT_SCHEMA.names).to_pylist()
    kept = pa.array((write_row(item) for item in values), pa.string())
    words = pa.array((index_words(texts_of(item).values()) for item in values), pa.string())
    matrix = np.zeros((rows.num_rows, dim), np.float32)
    has_vector = own_vectors(rows, model, dim)
    own = rows["embedding"].combine_chunks().filter(pa.array(has_vector))
    matrix[has_vector] = np.asarray(pc.list_flatten(own)).reshape(-1, dim)
    for at in np.flatnonzero(~has_vector):
        vector = vectors.get(rows["id"][int(at)].as_py()) if vectors else None
        if vector is not None:
            matrix[at], has_vector[at] = vector, True
    listed = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), dim, mask=pa.array(~has_vector))
    columns = [*(rows[name] for name in FILTERED), kept, words, listed]
    return pa.Table.from_arrays(columns, schema=index_schema(dim))


def own_vectors(rows: pa.Table, model: str | None, dim: int) -> NDArray[np.bool_]:
    """Which rows hold a vector of `model` with `dim` numbers."""
    is_its = pc.equal(rows["embedding_by"], pa.scalar(model, pa.string()))
    fits = pc.equal(pc.list_value_length(rows["embedding"]), dim)
    mask = pc.fill_null(pc.and_(is_its, fits), fill_value=False)
    return np.array(mask.combine_chunks().to_numpy(zero_copy_only=False), bool)
