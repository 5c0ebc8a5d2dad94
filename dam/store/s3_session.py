"""The aioboto3 session and the configuration of the S3 client, made from the settings.

`Bucket.connect` calls it. Reads no files but botocore's own; must send nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import aioboto3
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader

if TYPE_CHECKING:
    from dam.settings import DamSettings

_CONNECT_S: Final = 5.0
_CONNECTIONS: Final = 32


def make_session() -> aioboto3.Session:
    """A session for one S3 client."""
    session = AioSession()
    session.register_component("data_loader", _make_loader())
    return aioboto3.Session(botocore_session=session)


def make_config(settings: DamSettings) -> Config:
    """Time-outs, retries and dialect."""
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if settings.store_endpoint_url else "auto"},
        connect_timeout=_CONNECT_S,
        read_timeout=settings.store_timeout_s,
        max_pool_connections=_CONNECTIONS,
        tcp_keepalive=True,
        retries={"mode": "standard", "total_max_attempts": settings.store_max_attempts},
        # R2 and radosgw know few of the checksums that AWS wants by default.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@cache
def _make_loader() -> Loader:
    """One for all clients of the process: it keeps what it has read."""
    return Loader(file_loader=_OneService())


class _OneService(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
    """Keeps S3 alone of botocore's list of AWS's hosts.

    The whole list is 7 MB in memory for the life of the client; the upload API has 120 MB for everything.
    """

    def load_file(self, file_path: str) -> Any:
        """See `JSONFileLoader.load_file`."""
        data = super().load_file(file_path)
        if data and PurePath(file_path).name == "endpoints":
            for partition in data["partitions"]:
                partition["services"] = {
                    name: hosts for name, hosts in partition["services"].items() if name == "s3"
                }
        return data
