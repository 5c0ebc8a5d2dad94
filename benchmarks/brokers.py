"""A private S3 server and a private broker for a benchmark, and one service of ours on them.

Services inherit this process's environment, which is the one way to give them credentials: `Brokers.renew`
writes what it chooses there.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import httpx

from dam import routes
from dam.local.processes import Child, Command
from dam.settings import DamSettings
from tests.services.rabbitmq import RabbitMq
from tests.services.radosgw import Radosgw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

HOST: Final = "127.0.0.1"
_LOOK_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Brokers:
    """Both servers, and the folder for what services keep on this machine."""

    radosgw: Radosgw
    rabbitmq: RabbitMq
    folder: Path

    def renew(self) -> DamSettings:
        """Settings of a fresh bucket and a fresh vhost; services find the same from now on."""
        os.environ["DAM_DATA_DIR"] = str(self.folder)
        os.environ["DAM_QUEUE_URL"] = self.rabbitmq.new_vhost()
        os.environ.update(self.radosgw.environment(self.radosgw.create_bucket()))
        return DamSettings()


@contextmanager
def running_brokers(folder: Path) -> Iterator[Brokers]:
    """Start both, and stop both in the end."""
    with Radosgw() as radosgw, RabbitMq() as rabbitmq:
        yield Brokers(radosgw, rabbitmq, folder)


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running_service(command: Command, log: Path) -> AsyncIterator[Child]:
    """Start one service, yield it as soon as it is ready, and stop it in the end.

    Raises:
        ProcessDiedError: it ended instead.
        RuntimeError: it does not say where it is ready.
    """
    if command.ready_url is None:
        raise RuntimeError(f"The service {command.name} does not say where it tells that it is ready.")
    child = Child(command, log)
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            while not await _is_ready(client, command.ready_url):
                child.check()
                await asyncio.sleep(_LOOK_S)
        yield child
    finally:
        await child.stop()


def ready_at(command: Command, port: int) -> Command:
    """The same command, asked at this port whether it is ready."""
    return replace(command, ready_url=f"http://{HOST}:{port}{routes.READY}")


async def _is_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
