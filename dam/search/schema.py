"""The index's rows: every column of the catalogue but `embedding`, the words to find, and the vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.search.words import index_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

WORDS: Final = "words"
VECTOR: Final = "vector"
TEXT_FIELDS: Final = ("filename", "caption", "tags", "title", "description", "text")
"""Fields whose words are found, and that a search names as the reason for a result."""


def index_schema(dim: int) -> pa.Schema:
    """Columns of a table whose vectors have `dim` numbers."""
    return pa.schema(
        [
            *SNAPSHOT_SCHEMA,
            pa.field(WORDS, pa.string()),
            pa.field(VECTOR, pa.list_(pa.float32(), dim)),
        ]
    )


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """A row's searchable texts by field, without the empty ones; tags stand in one text."""
    texts = {name: values.get(name) for name in TEXT_FIELDS}
    texts["tags"] = " ; ".join(values.get("tags") or ())
    return {name: str(text) for name, text in texts.items() if text}


def make_rows(
    rows: pa.Table, model: str | None, dim: int, vectors: Mapping[str, NDArray[np.float32]]
) -> pa.Table:
    """Catalogue rows as index rows, with the vectors of `model` alone.

    A vector stands in the row's own `embedding`, or in `vectors` by id; a row without either has none.
    """
    plain = rows.select(SNAPSHOT_SCHEMA.names)
    texts = plain.select(TEXT_FIELDS).to_pylist()
    words = pa.array((index_words(texts_of(values).values()) for values in texts), pa.string())
    matrix = np.zeros((rows.num_rows, dim), np.float32)
    has_vector = own_vectors(rows, model, dim)
    own = rows["embedding"].combine_chunks().filter(pa.array(has_vector))
    matrix[has_vector] = np.asarray(pc.list_flatten(own)).reshape(-1, dim)
    for at in np.flatnonzero(~has_vector):
        vector = vectors.get(rows["id"][int(at)].as_py()) if vectors else None
        if vector is not None:
            matrix[at], has_vector[at] = vector, True
    listed = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), dim, mask=pa.array(~has_vector))
    return plain.append_column(WORDS, words).append_column(VECTOR, listed).cast(index_schema(dim))


def own_vectors(rows: pa.Table, model: str | None, dim: int) -> NDArray[np.bool_]:
    """Which rows hold a vector of `model` with `dim` numbers."""
    is_its = pc.equal(rows["embedding_by"], pa.scalar(model, pa.string()))
    fits = pc.equal(pc.list_value_length(rows["embedding"]), dim)
    mask = pc.fill_null(pc.and_(is_its, fits), fill_value=False)
    return np.array(mask.combine_chunks().to_numpy(zero_copy_only=False), bool)
