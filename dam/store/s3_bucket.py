"""One S3 client for one bucket: made from the settings, kept open, every error translated.

The S3 adapter's other modules send through it; nothing else may.
"""

from __future__ import annotations

import asyncio
import io
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from dam.errors import SettingsError
from dam.store.credentials import read_credentials
from dam.store.naming import check_key
from dam.store.s3_errors import FAILED, S3Errors
from dam.store.s3_session import make_config, make_session

if TYPE_CHECKING:
    from dam.settings import DamSettings
    from dam.store.s3_part import Part

_LARGE: Final = 1 << 20
"""Bytes from which aiohttp wants a file, because it would write all of a `bytes` at once."""


class Bucket:
    """A bucket and the client that reaches it. Make it with `connect`."""

    def __init__(self, client: Any, resources: AsyncExitStack, name: str, settings: DamSettings) -> None:
        self.client = client
        self.name = name
        self.attempts = settings.store_max_attempts
        self.errors = S3Errors(settings, name)
        self._resources = resources

    @classmethod
    async def connect(cls, settings: DamSettings) -> Self:
        """Make the client; nothing is sent yet. Raises `SettingsError`."""
        name = urlsplit(settings.store_url).netloc
        if not name:
            raise SettingsError(f"DAM_STORE_URL is {settings.store_url!r}; it must be s3://bucket.")
        access_key_id, secret_access_key = read_credentials(settings)
        resources = AsyncExitStack()
        try:
            client = await resources.enter_async_context(
                make_session().client(
                    "s3",
                    endpoint_url=settings.store_endpoint_url,
                    region_name=settings.store_region,
                    aws_access_key_id=access_key_id,
                    aws_secret_access_key=secret_access_key,
                    config=make_config(settings),
                )
            )
        except (BotoCoreError, ValueError) as error:
            raise SettingsError(f"The DAM_STORE_* settings make no S3 client: {error}") from error
        # Waiting for `100 Continue` costs a round trip, and from a server that sends none the whole timeout.
        client.meta.events.register_last("before-call.s3", _drop_expect)
        client.meta.events.register_first("needs-retry.s3", _know_throttling)
        return cls(client, resources, name, settings)

    async def call(self, key: str, method: str, *, conditional: bool = False, **arguments: Any) -> Any:
        """Run a client method on one key. Raises the port's errors, each from botocore's."""
        check_key(key)
        try:
            return await getattr(self.client, method)(Bucket=self.name, Key=key, **arguments)
        except FAILED as error:
            raise self.errors.translate(error, key, conditional=conditional) from error

    async def send(
        self,
        key: str,
        method: str,
        body: bytes | Part | Path,
        *,
        conditional: bool = False,
        **arguments: Any,
    ) -> Any:
        """The same with a body; of a file, all of it, read as it is sent."""
        data = io.BytesIO(body) if isinstance(body, bytes) and len(body) >= _LARGE else body
        if isinstance(data, Path):
            with await asyncio.to_thread(data.open, "rb") as file:
                return await self.call(key, method, conditional=conditional, Body=file, **arguments)
        return await self.call(key, method, conditional=conditional, Body=data, **arguments)

    async def close(self) -> None:
        """Close the client's connections."""
        await self._resources.aclose()


def _drop_expect(params: dict[str, Any], **_: object) -> None:
    params["headers"].pop("Expect", None)


def _know_throttling(response: tuple[Any, dict[str, Any]] | None, **_: object) -> None:
    """Let botocore retry a 429 under any name: it knows neither R2's (`TooManyRequests`) nor none."""
    if response and response[0].status_code == HTTPStatus.TOO_MANY_REQUESTS:
        response[1].setdefault("Error", {})["Code"] = "SlowDown"
