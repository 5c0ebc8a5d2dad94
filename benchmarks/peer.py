"""infinity, the server that `embed_peer` holds the Bento against: its environment, its model, its process.

It needs other releases of transformers and huggingface_hub than we do, so it has an environment of its own,
which is made once (some gigabytes) and kept. Its own choice of releases does not start: these do.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from benchmarks.batching import HOST
from benchmarks.bento_load import Call
from benchmarks.bento_phases import say
from dam.local.processes import Child, Command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PACKAGES: Final = (
    "infinity-emb[server,torch]==0.0.78",  # its extra `vision` asks for a torch older than ours
    "aiohttp",
    "huggingface_hub<1",
    "pillow",
    "timm",
    "torch==2.14.1",
    "torchvision==0.29.1",
    "transformers==4.57.6",
)
_ENVIRONMENT: Final = {
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "INFINITY_ANONYMOUS_USAGE_STATS": "0",
    "PYTHONPATH": "",
}


class Peer:
    """infinity in the environment `folder`, which is made if it is not there."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder / "bin"
        if not (self._programs / "infinity_emb").exists():  # pip writes it last, after what it needs
            say(f"making infinity's environment in {folder}")
            self._run(sys.executable, "-m", "venv", str(folder))
            self._run(str(self._programs / "python"), "-m", "pip", "install", "--quiet", *PACKAGES)

    def write_model(self, folder: Path, size: str) -> None:
        """An untrained CLIP, `tiny` or `base` in size."""
        folder.mkdir()
        found = find_spec("open_clip")
        if found is None or found.origin is None:
            raise RuntimeError("open_clip, whose vocabulary the model takes, is not installed.")
        vocabulary = Path(found.origin).parent / "bpe_simple_vocab_16e6.txt.gz"
        script = Path(__file__).with_name("peer_model.py")
        self._run(str(self._programs / "python"), str(script), str(folder), str(vocabulary), size)

    @asynccontextmanager
    async def serving(self, model: Path, batch: int) -> AsyncIterator[tuple[str, int]]:
        """The server with that largest batch: its address and process id; stopped at the end."""
        say(f"starting infinity with batches of up to {batch}")
        with socket.create_server((HOST, 0)) as probe:
            port = probe.getsockname()[1]
        serve = [str(self._programs / "infinity_emb"), "v2", "--model-id", str(model), "--engine", "torch"]
        serve += ["--device", "cpu", "--dtype", "float32", "--no-bettertransformer"]
        serve += ["--batch-size", str(batch), "--host", HOST, "--port", str(port)]
        child = Child(Command("infinity", serve, _ENVIRONMENT), model / "infinity.log")
        try:
            async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False) as client:
                while not await is_healthy(client):
                    child.check()
                    await asyncio.sleep(0.2)
            yield f"http://{HOST}:{port}", child.pid
        finally:
            await child.stop()

    @staticmethod
    def _run(*command: str) -> None:
        """A step of the preparation; what goes wrong it tells on stderr, for stdout ends with the result."""
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


async def is_healthy(client: httpx.AsyncClient) -> bool:
    """Whether it says so now."""
    try:
        return (await client.get("/health")).is_success
    except httpx.TransportError:
        return False


def make_call(model: Path, picture: bytes) -> Call:
    """One picture to its OpenAI-like route, which takes URLs only: the picture is inside of one."""
    body = {
        "model": str(model),
        "input": ["data:image/jpeg;base64," + base64.b64encode(picture).decode()],
        "modality": "image",
        "encoding_format": "float",
    }
    return Call("/embeddings", json.dumps(body).encode(), "application/json")
