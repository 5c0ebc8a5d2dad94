"""The services of one machine: their commands and environments, and a context that runs them all."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

import httpx

from dam import routes
from dam.errors import DamError
from dam.local.addresses import LOOPBACK, Addresses, noted, pick_addresses, port_of
from dam.local.processes import Child, Command
from dam.local.readiness import find_hindrance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from dam.settings import DamSettings

SERVICES: Final = ("bento", "ingest", "orchestrator", "gallery", "maintenance")
"""In the order in which they are started; they are stopped in the reverse one."""
READY_TIMEOUT_S: Final = 180.0
_LOOK_S: Final = 0.2
_BENTO: Final = "bentos.service:DamBento"


@asynccontextmanager
async def running_services(settings: DamSettings) -> AsyncIterator[tuple[Addresses, Sequence[Child]]]:
    """Start the five services; yield once all are ready; stop them in reverse order.

    Raises:
        DamError: a service ended, or was not ready in time.
    """
    addresses = pick_addresses()
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stack.enter_context(noted(settings.data_dir, addresses, SERVICES))
        children = []
        for command in list_commands(settings, addresses):
            child = Child(command, logs / f"{command.name}.log")
            stack.push_async_callback(child.stop)
            children.append(child)
        await asyncio.gather(*(_wait_until_ready(child) for child in children))
        yield addresses, children


async def read_notice(addresses: Addresses) -> str:
    """What the model set in use wants people to know of it; empty where there is nothing to say."""
    async with httpx.AsyncClient(base_url=addresses.bento, timeout=10) as client:
        answer = await client.get(routes.MODELS)
        answer.raise_for_status()
        return str(answer.json().get("notice") or "")


def list_commands(
    settings: DamSettings, addresses: Addresses, hosts: Mapping[str, str] | None = None
) -> list[Command]:
    """The five services, in order; each listens on its one of `hosts`, or on the loopback.

    Each sees our own environment and what only one machine decides: ports, folders.
    """
    common = {
        "DAM_DATA_DIR": str(settings.data_dir.absolute()),
        "DAM_STORE_URL": settings.store_url,
        "DAM_QUEUE_URL": settings.queue_url.get_secret_value(),
    }

    def listening(name: str, url: str) -> dict[str, str]:
        host = (hosts or {}).get(name, LOOPBACK)
        return {f"DAM_{name.upper()}_HOST": host, f"DAM_{name.upper()}_PORT": str(port_of(url))}

    others = {"DAM_BENTO_URL": addresses.bento, "DAM_INGEST_URL": addresses.ingest}
    return [
        _bento_command(addresses.bento, (hosts or {}).get("bento", LOOPBACK)),
        _command("ingest", addresses.ingest, common | listening("ingest", addresses.ingest)),
        _command(
            "orchestrator",
            addresses.orchestrator,
            common | listening("orchestrator", addresses.orchestrator) | {"DAM_BENTO_URL": addresses.bento},
        ),
        _command("gallery", addresses.gallery, common | listening("gallery", addresses.gallery) | others),
        Command("maintenance", [sys.executable, "-m", "dam.cli.main", "maintain"], common),
    ]


def _command(name: str, url: str, environment: Mapping[str, str]) -> Command:
    package = {"ingest": "ingest_api", "gallery": "gallery_api"}.get(name, name)
    return Command(name, [sys.executable, "-m", package], environment, url + routes.READY)


def _bento_command(url: str, host: str) -> Command:
    return Command(
        "bento",
        [sys.executable, "-m", "bentoml", "serve", _BENTO, "--host", host, "--port", str(port_of(url))],
        {"BENTOML_DO_NOT_TRACK": "true"},
        url + routes.READY,
    )


async def _wait_until_ready(child: Child) -> None:
    """Poll a service's readiness; the last answer it gave is part of the error when time is up."""
    if child.command.ready_url is None:
        return
    last: str | None = "no answer yet"
    async with httpx.AsyncClient(timeout=5) as client:
        for _ in range(int(READY_TIMEOUT_S / _LOOK_S)):
            child.check()
            last = await find_hindrance(client, child.command.ready_url)
            if last is None:
                return
            await asyncio.sleep(_LOOK_S)
    raise DamError(
        f"The service '{child.command.name}' was not ready after {READY_TIMEOUT_S:.0f} s ({last}). "
        f"Its log is {child.log}."
    )
