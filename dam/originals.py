"""What an original's object metadata say, and the job that they make: everything but the SHA-256 is in them.

Ingest writes them; ingest and reconcile make jobs of them, so that work that was lost can be queued again
from the bucket alone. No I/O.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from dam.jobs import EnrichJob

if TYPE_CHECKING:
    from dam.store.port import ObjectInfo

FILENAME: Final = "filename"
RECEIVED_AT: Final = "received-at"
ACTOR: Final = "actor"

UNKNOWN_ACTOR: Final = "person:anonymous"
"""Who uploaded, where nobody said."""


def metadata_of(filename: str, received_at: datetime, actor: str) -> dict[str, str]:
    """Metadata of a new original; ASCII, as the store wants them."""
    return {FILENAME: quote(filename), RECEIVED_AT: received_at.isoformat(), ACTOR: quote(actor, safe=":@ ")}


def job_of(original: ObjectInfo, asset_id: str, sha256: str) -> EnrichJob:
    """The first enrichment of a stored original, from its `head`.

    An original that something else put into the bucket has no metadata: its key names it, and it was received
    when it was last modified.
    """
    metadata = original.metadata
    return EnrichJob(
        asset_id=asset_id,
        key=original.key,
        filename=unquote(metadata.get(FILENAME, "")) or original.key.rpartition("/")[2],
        mime_type=original.content_type,
        size_bytes=original.size,
        sha256=sha256,
        received_at=_time(metadata.get(RECEIVED_AT)) or original.last_modified,
        actor=unquote(metadata.get(ACTOR, "")) or UNKNOWN_ACTOR,
    )


def _time(text: str | None) -> datetime | None:
    """None for what is missing, is no time, or has no time zone."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else None
