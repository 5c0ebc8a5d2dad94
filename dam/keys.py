"""Where everything lies in the bucket. The only module that spells a key; it does no I/O."""

from __future__ import annotations

from typing import Final

from dam.ids import is_id

ASSETS: Final = "assets/"
THUMBS: Final = "thumbs/"
VECTORS: Final = "vectors/"
HASHES: Final = "hashes/"
TABLE: Final = "metadata/images"
"""The catalogue, a Delta Lake table (a prefix, not an object)."""
TABLE_CHANGES: Final = "metadata/images/_change_data/"
"""Rows that a DELETE removed, for the change feed. Only purge deletes."""
SNAPSHOT: Final = "metadata/images.parquet"
MAINTENANCE_LEASE: Final = "metadata/maintenance.lease"
SEARCH: Final = "search"
"""The search index's Lance tables (a prefix, not an object)."""
SEARCH_STATE: Final = "search/state.json"
"""Which table is the index now, and the catalogue version that it has."""
TOKENS: Final = "access/tokens.json"
"""API tokens, hashed."""
DOCTOR: Final = "doctor/"
"""Objects that `dam doctor` writes to try the bucket, and removes."""

THUMBNAIL_SIZES: Final = (256, 1024)
"""Longest side of each derived picture, in pixels; a smaller original is not enlarged."""


def original(asset_id: str, extension: str) -> str:
    """Key of an original; `extension` without its dot."""
    return f"{ASSETS}{asset_id}.{extension}"


def thumbnail(asset_id: str, size: int) -> str:
    """Key of the WebP whose longest side is at most `size` pixels."""
    return f"{THUMBS}{asset_id}/{size}.webp"


def vector(asset_id: str, space: str | None = None) -> str:
    """Key of the primary embedding, or of the one in another `space`."""
    return f"{VECTORS}{space}/{asset_id}.json" if space else f"{VECTORS}{asset_id}.json"


def claim(sha256: str) -> str:
    """Key of the claim of a content, by its SHA-256 in lower-case hex."""
    return f"{HASHES}{sha256}"


def asset_id_of(original_key: str) -> str | None:
    """The id in an original's key, or None where the key is not one of ours."""
    name = original_key.removeprefix(ASSETS)
    asset_id = name.partition(".")[0]
    return asset_id if name != original_key and is_id(asset_id) else None
