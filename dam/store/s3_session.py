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

from dam.store.s3_signing import sign_parts

if TYPE_CHECKING:
    from dam.settings import DamSettings

_CONNECT_S: Final = 5.0
_CONNECTIONS: Final = 32
_AGENT: Final = "dam"
_UNUSED_PARAMETERS: Final = ("CopySource", "Key", "Prefix")
"""Of the rules that tell a request's host: they name them, and no rule asks for them."""


def make_session() -> aioboto3.Session:
    """A session for one S3 client."""
    sign_parts()
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
        # Its own description is put together anew for each request, which is an eighth of a request's cost.
        user_agent=_AGENT,
        # R2 and radosgw know few of the checksums that AWS wants by default.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@cache
def _make_loader() -> Loader:
    """One for all clients of the process: it keeps what it has read."""
    return Loader(file_loader=_OneService())


class _OneService(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
    """Keeps S3 alone of botocore's list of AWS's hosts, and of its rules only what they ask for.

    The whole list is 7 MB in memory for the life of the client; the upload API has 120 MB for everything.
    What the rules say is remembered by their parameters: with the key among them each request would have them
    worked through anew, a third of its cost.
    """

    def load_file(self, file_path: str) -> Any:
        """See `JSONFileLoader.load_file`."""
        data = super().load_file(file_path)
        name = PurePath(file_path).name
        if data and name.startswith("endpoint-rule-set"):
            for parameter in _UNUSED_PARAMETERS:
                data["parameters"].pop(parameter, None)
        if data and name == "endpoints":
            for partition in data["partitions"]:
                partition["services"] = {
                    name: hosts for name, hosts in partition["services"].items() if name == "s3"
                }
        return data
