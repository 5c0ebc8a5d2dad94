"""Picks the object-store adapter for a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dam.errors import SettingsError

if TYPE_CHECKING:
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore


async def open_store(settings: DamSettings) -> ObjectStore:
    """Open the store that `settings.store_url` names; the caller closes it.

    Raises:
        SettingsError: an unknown scheme or missing credentials.
    """
    parts = urlsplit(settings.store_url)
    if parts.scheme == "file":
        from dam.store.folder import FolderStore  # noqa: PLC0415 - an S3 deployment never loads it

        return FolderStore(unquote(parts.path))
    if parts.scheme == "s3":
        from dam.store.s3 import S3Store  # noqa: PLC0415 - aioboto3 costs 40 MB; a laptop needs none of it

        return await S3Store.connect(settings)
    raise SettingsError(f"DAM_STORE_URL is {settings.store_url!r}; it must be file:///folder or s3://bucket.")
