"""Where everything lies in the bucket. The only module that spells a key; it does no I/O."""

from __future__ import annotations

from typing import Final

from dam.ids import is_former, is_id

ASSETS: Final = "assets/"
THUMBS: Final = "thumbs/"
VECTORS: Final = "vectors/"
HASHES: Final = "hashes/"
TABLE: Final = "metadata/images"
"""The catalogue, a Delta Lake table (a prefix, not an object)."""
TABLE_CHANGES: Final = "metadata/images/_change_data/"
"""Rows that a DELETE removed, for the change feed. Only purge deletes."""
SNAPSHOT: Final = "metadata/images.parquet"
ADOPTED_TABLES: Final = "metadata/adopted/"
"""Copies of the original project's tables, made by `dam adopt` before the snapshot replaces them."""
FORMER_ASSETS_VECTORS: Final = f"{VECTORS}primary/"
"""Primary embeddings of assets with an id of the original project, whose own lie at `vectors/{id}.json`."""
MAINTENANCE_LEASE: Final = "metadata/maintenance.lease"
SEARCH: Final = "search"
"""The search index's Lance tables (a prefix, not an object)."""
SEARCH_STATE: Final = "search/state.json"
"""Which table is the index now, and the catalogue version that it has."""
TOKENS: Final = "access/tokens.json"
"""API tokens, hashed."""
DOCTOR: Final = "doctor/"
"""Objects that `dam doctor` writes to try the bucket, and removes."""

_OURS: Final = (ASSETS, THUMBS, VECTORS, HASHES, "metadata/", f"{SEARCH}/", "access/", DOCTOR, ".dam/")

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
    if space is None and is_former(asset_id):
        return f"{FORMER_ASSETS_VECTORS}{asset_id}.json"  # ADR 20: what the original project wrote stays
    return f"{VECTORS}{space}/{asset_id}.json" if space else f"{VECTORS}{asset_id}.json"


def former_vector(asset_id: str) -> str:
    """Key of the embedding that the original project wrote; it is read, and goes in a purge alone."""
    return f"{VECTORS}{asset_id}.json"


def adopted_table(sha256: str) -> str:
    """Key of the copy of one of the original project's tables, by its content."""
    return f"{ADOPTED_TABLES}images-{sha256}.parquet"


def claim(sha256: str) -> str:
    """Key of the claim of a content, by its SHA-256 in lower-case hex."""
    return f"{HASHES}{sha256}"


def asset_id_of(original_key: str) -> str | None:
    """The id in an original's key, or None where the key is not one of ours.

    An original of the original project may lie below another prefix: it is used where it is.
    """
    folder, slash, name = original_key.rpartition("/")
    asset_id = name.partition(".")[0]
    if folder + slash == ASSETS:
        return asset_id if is_id(asset_id) else None
    return asset_id if is_former(asset_id) and may_hold_originals(folder + slash) else None


def may_hold_originals(prefix: str) -> bool:
    """Whether originals may lie right below `prefix` (with its slash): in `ASSETS`, or in nothing of ours."""
    is_plain = prefix.endswith("/") and not any(part in {"", ".", ".."} for part in prefix[:-1].split("/"))
    return prefix == ASSETS or (is_plain and not prefix.startswith(_OURS))
