"""Settings and bytes for the tests of the object store."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Any

from dam.settings import DamSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store import ObjectStore
    from tests.services.radosgw import Radosgw

PART = 5 << 20
"""A multipart upload's part."""


def settings_of(environment: dict[str, str], **changes: Any) -> DamSettings:
    """Settings as these variables make them, with some changed."""
    values: dict[str, Any] = {name.removeprefix("DAM_").lower(): value for name, value in environment.items()}
    return DamSettings(**values | changes)


def bucket_settings(radosgw: Radosgw, **changes: Any) -> DamSettings:
    """Settings for a fresh bucket of a real server."""
    return settings_of(radosgw.environment(radosgw.create_bucket()), **changes)


def variables(settings: DamSettings) -> dict[str, str]:
    """The environment in which another process makes the same settings."""
    named = {"DAM_STORE_URL": settings.store_url}
    if settings.store_endpoint_url and settings.store_access_key_id and settings.store_secret_access_key:
        named |= {
            "DAM_STORE_ENDPOINT_URL": settings.store_endpoint_url,
            "DAM_STORE_REGION": settings.store_region,
            "DAM_STORE_ACCESS_KEY_ID": settings.store_access_key_id.get_secret_value(),
            "DAM_STORE_SECRET_ACCESS_KEY": settings.store_secret_access_key.get_secret_value(),
        }
    return {**os.environ, **named}


def some_bytes(size: int, seed: int = 0) -> bytes:
    """Bytes in which a lost, doubled or moved block shows."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - test data


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    """The same bytes in pieces of this size, as a network would bring them."""
    for at in range(0, len(data), size):
        yield data[at : at + size]
        await asyncio.sleep(0)


async def keys(store: ObjectStore, prefix: str = "", start_after: str = "") -> list[str]:
    """Listed keys, in the order they come."""
    return [info.key async for info in store.list(prefix, start_after=start_after)]


async def read(store: ObjectStore, key: str, start: int = 0, end: int | None = None) -> bytes:
    """What `stream` yields, together."""
    return b"".join([chunk async for chunk in store.stream(key, start, end)])
