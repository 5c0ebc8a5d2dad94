"""What `search` measures, as real processes: `dam maintain` builds the index, the gallery answers over HTTP.

Beside them stands in for the Bento a server that knows the vectors of the queries, so that searches take no
model's time: the gallery says how long it waited for it, and that is taken off.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from aiohttp import web

from benchmarks.catalogues import MODEL
from benchmarks.resident import Watch
from dam import routes
from dam.catalogue.storage import TableHandle
from dam.maintenance.settings import MaintenanceSettings
from dam.maintenance.worker import Worker
from dam.search.keeper import IndexKeeper
from dam.store.delta import delta_location, lance_location
from dam.store.opening import open_store
from tests.maintenance.processes import Maintainer, environment_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from dam.settings import DamSettings

_BUILD_S: Final = 1_500.0
_START_S: Final = 120.0
_LOOK_S: Final = 0.1
_BUILT: Final = "index.built"


@dataclass(frozen=True, slots=True)
class Build:
    """How long the index took, and how much memory the whole of `dam maintain` at its peak."""

    seconds: float
    peak_mb: float


async def build_index(folder: Path) -> Build:
    """Let `dam maintain` build it, as it does for an operator, beside its other duties; then stop it."""
    settings = MaintenanceSettings(data_dir=folder)
    maintainer = Maintainer(environment_of(settings), folder / "maintain.log")
    watch = Watch({"maintain": maintainer.process.pid})
    try:
        async with asyncio.timeout(_BUILD_S), watch.over():
            while _BUILT not in maintainer.events():
                _refuse_ended(maintainer.process, "dam maintain")
                await asyncio.sleep(_LOOK_S)
            await asyncio.sleep(2 * _LOOK_S)  # published after it was logged
    finally:
        maintainer.process.terminate()
        await asyncio.to_thread(maintainer.process.wait)
    [built] = [line for line in maintainer.lines() if line["event"] == _BUILT]
    return Build(float(built["seconds"]), watch.peaks_mb()["maintain"])


async def index_now(settings: DamSettings) -> None:
    """The same by the keeper alone, in this process."""
    store = await open_store(settings)
    worker = Worker("index")
    try:
        handle = await worker.run(TableHandle.open, *delta_location(settings))
        await IndexKeeper(store, handle, worker, lance_location(settings)).step()
    finally:
        worker.close()
        await store.close()


@asynccontextmanager
async def running_bento(vectors: Mapping[str, NDArray[np.float32]]) -> AsyncIterator[str]:
    """The URL of a server that embeds these texts, while it listens."""
    bodies = {
        text: {"embedding": vector.tolist(), "dim": len(vector), "model": MODEL}
        for text, vector in vectors.items()
    }

    async def embed(request: web.Request) -> web.Response:
        return web.json_response(bodies[str((await request.json())["text"])])

    app = web.Application()
    app.add_routes([web.post(routes.EMBED, embed)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_gallery(
    settings: DamSettings, bento: str
) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """`python -m gallery_api` on a free port: a client of its API, and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "DAM_DATA_DIR": str(settings.data_dir),
        "DAM_GALLERY_PORT": str(port),
        "DAM_BENTO_URL": bento,
        "DAM_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "gallery_api"]
    process = subprocess.Popen(command, env={**os.environ, **environment})  # noqa: ASYNC220 - starts at once
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
            await _wait_until_live(client, process)
            yield client, process.pid
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def ask(client: aiohttp.ClientSession, path: str, params: Mapping[str, Any]) -> bytes:
    """One request's answer, to its last byte. Raises RuntimeError with what the service says of it."""
    async with client.get(path, params=params) as answer:
        body = await answer.read()
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"{path} answered {answer.status}: {body.decode()}")
    return body


async def _wait_until_live(client: aiohttp.ClientSession, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            _refuse_ended(process, "The gallery")
            try:
                await ask(client, routes.LIVE, {})
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(_LOOK_S)
            else:
                return


def _refuse_ended(process: subprocess.Popen[bytes], name: str) -> None:
    if process.poll() is not None:
        raise RuntimeError(f"{name} has ended with status {process.returncode}.")
