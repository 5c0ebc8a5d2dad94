"""Where the Delta and Lance tables lie and how their own S3 clients reach them: by the store's settings.

deltalake and lancedb read through the Rust `object_store` and do not pass through the `ObjectStore` port. The
catalogue and the search index call this; nothing else may spell storage options. It does no I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dam.errors import SettingsError
from dam.keys import SEARCH, TABLE
from dam.store.credentials import read_credentials

if TYPE_CHECKING:
    from dam.settings import DamSettings

_CONNECT_TIMEOUT = "5s"
_MAX_BACKOFF_S = 8
_IDLE_CONNECTIONS = 8
"""Kept open for the next reads. Each keeps the buffer of its largest answer, 64 to 408 KiB; without a limit a
gallery under load had hundreds of them."""


def delta_location(settings: DamSettings) -> tuple[str, dict[str, str]]:
    """The table's URI and the storage options that deltalake wants with it; a folder needs none.

    The options hold the secret key: never log them.

    Raises:
        SettingsError: an unknown scheme or missing credentials.
    """
    return _locate(settings, TABLE)


def lance_location(settings: DamSettings) -> tuple[str, dict[str, str]]:
    """The same for the folder of the search index's Lance tables."""
    return _locate(settings, SEARCH)


def _locate(settings: DamSettings, prefix: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(settings.store_url)
    if parts.scheme == "file":
        return f"{unquote(parts.path).rstrip('/')}/{prefix}", {}
    if parts.scheme == "s3" and parts.netloc:
        return f"s3://{parts.netloc}/{prefix}", _s3_options(settings)
    raise SettingsError(f"DAM_STORE_URL is {settings.store_url!r}; it must be file:///folder or s3://bucket.")


def _s3_options(settings: DamSettings) -> dict[str, str]:
    """Options of the Rust `object_store` crate, all values text."""
    access_key_id, secret_access_key = read_credentials(settings)
    retries = settings.store_max_attempts - 1
    options = {
        "aws_access_key_id": access_key_id,
        "aws_secret_access_key": secret_access_key,
        "aws_region": settings.store_region,
        # A commit is one PUT with If-None-Match: two writers cannot both make the same version.
        "aws_conditional_put": "etag",
        "aws_virtual_hosted_style_request": "false",
        "connect_timeout": _CONNECT_TIMEOUT,
        "timeout": f"{max(1, round(settings.store_timeout_s))}s",
        "pool_max_idle_per_host": str(_IDLE_CONNECTIONS),
        "max_retries": str(retries),
        # object_store stops at whichever comes first, this or max_retries.
        "retry_timeout": f"{max(1, round((settings.store_timeout_s + _MAX_BACKOFF_S) * (retries + 1)))}s",
        "backoff_config.init_backoff": "100ms",
        "backoff_config.max_backoff": f"{_MAX_BACKOFF_S}s",
    }
    if settings.store_endpoint_url:
        options["aws_endpoint_url"] = settings.store_endpoint_url
        if settings.store_endpoint_url.startswith("http://"):
            options["aws_allow_http"] = "true"
    return options
