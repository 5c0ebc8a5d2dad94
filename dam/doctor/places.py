"""Where the embedded adapters keep their files, and whether they could be made there. Blocking."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit


def folder_of(store_url: str) -> Path | None:
    """The folder of `file:///…`; None for a bucket elsewhere."""
    parts = urlsplit(store_url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def standing_part(path: Path) -> Path:
    """The path itself, or its nearest parent that is there."""
    return next((place for place in (path, *path.parents) if place.exists()), Path("/"))


def can_be_made(path: Path) -> bool:
    """Whether this process may make it: its nearest parent is a folder that we may write to."""
    place = standing_part(path)
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
