"""The catalogue row, schema version 1: its columns, their order and their types, stated once.

The first six columns are those of the original project, with the same names and order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pyarrow as pa

if TYPE_CHECKING:
    from datetime import datetime

SCHEMA_VERSION: Final = 1

Event = Literal["enriched", "failed", "edited", "reverted", "deleted", "restored", "purged"]
Status = Literal["ready", "failed", "deleted"]
PURGED: Final = "purged"
"""The event of a row that stands for an asset that is gone for good; no row may follow it."""
AssetType = Literal["image", "video", "audio", "document"]

_TIME = pa.timestamp("us", tz="UTC")

SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("filename", pa.string()),
        pa.field("r2_key", pa.string()),
        pa.field("vector_key", pa.string()),
        pa.field("mime_type", pa.string()),
        pa.field("caption", pa.string()),
        pa.field("revision", pa.int64(), nullable=False),
        pa.field("change_id", pa.string(), nullable=False),
        pa.field("schema_version", pa.int32(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("recorded_at", _TIME, nullable=False),
        pa.field("received_at", _TIME),
        pa.field("captured_at", _TIME),
        pa.field("actor", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("asset_type", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("sha256", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("duration_s", pa.float64()),
        pa.field("caption_by", pa.string()),
        pa.field("embedding_by", pa.string()),
        pa.field("text_by", pa.string()),
        pa.field("title", pa.string()),
        pa.field("description", pa.string()),
        pa.field("text", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("rating", pa.int32()),
        pa.field("placeholder", pa.string()),
        pa.field("embedding", pa.list_(pa.float32())),
        pa.field("error_code", pa.string()),
        pa.field("error_message", pa.string()),
        pa.field("attempts", pa.int32()),
    ]
)

SNAPSHOT_SCHEMA: Final = pa.schema([field for field in SCHEMA if field.name != "embedding"])
"""Columns of `metadata/images.parquet`: vectors lie in `vectors/`, not in the snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One revision of one asset: its whole state, but for `embedding` (only in the row that made it)."""

    id: str
    filename: str | None = None
    r2_key: str | None = None
    vector_key: str | None = None
    mime_type: str | None = None
    caption: str | None = None
    revision: int
    change_id: str
    schema_version: int = SCHEMA_VERSION
    event: Event
    recorded_at: datetime
    received_at: datetime | None = None
    captured_at: datetime | None = None
    actor: str
    status: Status
    asset_type: AssetType | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    caption_by: str | None = None
    embedding_by: str | None = None
    text_by: str | None = None
    title: str | None = None
    description: str | None = None
    text: str | None = None
    tags: list[str] | None = None
    rating: int | None = None
    placeholder: str | None = None
    embedding: list[float] | None = None
    error_code: str | None = None
    error_message: str | None = None
    attempts: int | None = None
