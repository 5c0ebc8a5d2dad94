"""Runs the upload API for tests: in this process on fakes, or as the real process it is in production."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import uvicorn

from dam.jobs import EnrichJob, parse
from ingest_api.app import create_app, open_early
from ingest_api.settings import IngestSettings
from tests.fakes.queue import MemoryQueue
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from dam.queue.port import JobQueue
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore

ROOT = Path(__file__).parents[2]


@dataclass
class Service:
    """A running upload API with what is behind it."""

    client: httpx.AsyncClient
    port: int
    store: MemoryStore
    queue: MemoryQueue
    open_errors: list[Exception] = field(default_factory=list)
    """Raised by the next tries to open store or queue, one each."""

    async def upload(self, *files: tuple[str, bytes], field: str = "files") -> httpx.Response:
        """Send one form with these files."""
        return await self.client.post("/upload", files=[(field, file) for file in files])

    def keys(self, prefix: str = "") -> list[str]:
        """Keys in the bucket."""
        return sorted(key for key in self.store.objects if key.startswith(prefix))

    def jobs(self) -> list[EnrichJob]:
        """Jobs queued so far."""
        return [parse(body) for body in self.queue.published]


@contextlib.asynccontextmanager
async def running(open_errors: list[Exception] | None = None, **settings: Any) -> AsyncIterator[Service]:
    """The app behind a real HTTP server in this process, on fakes."""
    service = Service(httpx.AsyncClient(), 0, MemoryStore(), MemoryQueue(), open_errors or [])

    async def open_store(_: DamSettings) -> ObjectStore:
        if service.open_errors:
            raise service.open_errors.pop(0)
        return service.store

    async def open_queue(_: DamSettings) -> JobQueue:
        if service.open_errors:
            raise service.open_errors.pop(0)
        return service.queue

    app = create_app(IngestSettings(**settings), store_opener=open_store, queue_opener=open_queue)
    await open_early(app, "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service.port = listener.getsockname()[1]
        config = uvicorn.Config(app, http="httptools", lifespan="on", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - the server offers no event
            await asyncio.sleep(0.005)
        base = f"http://127.0.0.1:{service.port}"
        async with httpx.AsyncClient(base_url=base, timeout=30) as client:
            service.client = client
            yield service
        server.should_exit = True
        await task


@contextlib.contextmanager
def process(
    environment: dict[str, str], log: Path, *, ready: bool = True
) -> Iterator[tuple[str, psutil.Process]]:
    """`python -m ingest_api` on a free port, `ready` or only alive; its URL and process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {"DAM_INGEST_PORT": str(port), **environment}
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "ingest_api"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/{'readyz' if ready else 'healthz'}", started, log)
        yield url, psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(30)


def _wait(url: str, started: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and started.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=10).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise AssertionError(f"The upload API did not get ready:\n{log.read_text()[-3000:]}")
