"""What an object below `vectors/` says: whose embedding it is, who made it, and its numbers. No I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MEDIA_TYPE: Final = "application/json"


def make_document(asset_id: str, model: str, numbers: Sequence[float]) -> bytes:
    """The object's body: `{"id", "model", "dim", "embedding"}`; `model` as in `embedding_by`."""
    body = {"id": asset_id, "model": model, "dim": len(numbers), "embedding": list(numbers)}
    return json.dumps(body).encode()
