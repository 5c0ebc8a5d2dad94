"""The index's rows: every column of the catalogue but `embedding`, the words to find, and the vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from dam.catalogue.row import SNAPSHOT_SCHEMA
from dam.search.words import index_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def make_rows(rows: pa.Table, vectors: Mapping[str, Any], dim: int) -> pa.Table:
    """Catalogue rows (with or without `embedding`) as index rows; `vectors` by id, absent where none fits."""
    plain = rows.select(SNAPSHOT_SCHEMA.names)
    ids = plain["id"].to_pylist()
    texts = plain.select(TEXT_FIELDS).to_pylist()
    words = pa.array((index_words(texts_of(values).values()) for values in texts), pa.string())
    listed = pa.array(_listed(ids, vectors), pa.list_(pa.float32(), dim))
    table = plain.append_column(WORDS, words).append_column(VECTOR, listed)
    return table.cast(index_schema(dim))


def _listed(ids: Iterable[str], vectors: Mapping[str, Any]) -> list[Any]:
    return [vectors.get(asset_id) for asset_id in ids]
