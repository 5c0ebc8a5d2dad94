"""The services of one machine: their commands, ports and environments, and a context that runs them all."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from dam import routes
from dam.errors import DamError
from dam.local.processes import Child, Command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dam.settings import DamSettings

READY_TIMEOUT_S = 180.0
_HOST = "127.0.0.1"
_MOST_PORTS = 100
_BENTO = "bentos.service:DamBento"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs of what was started."""

    bento: str
    ingest: str
    gallery: str
    orchestrator: str


@asynccontextmanager
async def running_services(settings: DamSettings) -> AsyncIterator[tuple[Addresses, Sequence[Child]]]:
    """Start the five services; yield once all are ready; stop them in reverse order.

    Raises:
        DamError: a service ended, or was not ready in time.
    """
    addresses = _pick_addresses()
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        children = []
        for command in _commands(settings, addresses):
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


def _commands(settings: DamSettings, addresses: Addresses) -> list[Command]:
    """The five services. Each sees our own environment and what only one machine decides: ports, folders."""
    common = {
        "DAM_DATA_DIR": str(settings.data_dir.absolute()),
        "DAM_STORE_URL": settings.store_url,
        "DAM_QUEUE_URL": settings.queue_url.get_secret_value(),
    }
    python = sys.executable

    def port(address: str) -> str:
        return str(urlsplit(address).port)

    return [
        Command(
            "bento",
            [python, "-m", "bentoml", "serve", _BENTO, "--host", _HOST, "--port", port(addresses.bento)],
            {"BENTOML_DO_NOT_TRACK": "true"},
            addresses.bento + routes.READY,
        ),
        Command(
            "ingest",
            [python, "-m", "ingest_api"],
            {**common, "DAM_INGEST_HOST": _HOST, "DAM_INGEST_PORT": port(addresses.ingest)},
            addresses.ingest + routes.READY,
        ),
        Command(
            "orchestrator",
            [python, "-m", "orchestrator"],
            {
                **common,
                "DAM_BENTO_URL": addresses.bento,
                "DAM_ORCHESTRATOR_HOST": _HOST,
                "DAM_ORCHESTRATOR_PORT": port(addresses.orchestrator),
            },
            addresses.orchestrator + routes.READY,
        ),
        Command(
            "gallery",
            [python, "-m", "gallery_api"],
            {
                **common,
                "DAM_BENTO_URL": addresses.bento,
                "DAM_INGEST_URL": addresses.ingest,
                "DAM_GALLERY_HOST": _HOST,
                "DAM_GALLERY_PORT": port(addresses.gallery),
            },
            addresses.gallery + routes.READY,
        ),
        Command("maintenance", [python, "-m", "dam.cli.main", "maintain"], common),
    ]


async def _wait_until_ready(child: Child) -> None:
    """Poll a service's readiness; the last answer it gave is part of the error when time is up."""
    if child.command.ready_url is None:
        return
    last = "no answer yet"
    async with httpx.AsyncClient(timeout=5) as client:
        for _ in range(int(READY_TIMEOUT_S / 0.2)):
            child.check()
            try:
                answer = await client.get(child.command.ready_url)
            except httpx.TransportError as error:
                last = str(error)
            else:
                if answer.is_success:
                    return
                last = answer.text
            await asyncio.sleep(0.2)
    raise DamError(
        f"The service '{child.command.name}' was not ready after {READY_TIMEOUT_S:.0f} s ({last}). "
        f"Its log is {child.log}."
    )


def _pick_addresses() -> Addresses:
    """Usual ports, or the next in steps of ten where something else listens there.

    Never one that the system would choose: those are also lent to whoever connects to something meanwhile.
    """
    with ExitStack() as held:  # until all are chosen, so that none is chosen twice

        def pick(usual: int) -> str:
            for port in range(usual, usual + 10 * _MOST_PORTS, 10):
                probe = held.enter_context(socket.socket())
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with suppress(OSError):
                    probe.bind((_HOST, port))
                    return f"http://{_HOST}:{port}"
            raise DamError(f"No free port on {_HOST} among {usual}, {usual + 10}, {usual + 20}, …")

        return Addresses(
            bento=pick(routes.BENTO_PORT),
            ingest=pick(routes.INGEST_PORT),
            gallery=pick(routes.GALLERY_PORT),
            orchestrator=pick(routes.ORCHESTRATOR_PORT),
        )
