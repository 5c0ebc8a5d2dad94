"""The service as a process: how it starts, how it fails, how it stops."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bentos.modelsets import DEMO_FOLDER
from tests.bentos import serving

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("drawn-0*"))
LONGEST_FAILURE_S = 120


def fail(folder: Path, settings: dict[str, str]) -> tuple[int, str]:
    """Start what cannot start: its status and its log."""
    served = serving.start(folder, settings)
    try:
        return served.process.wait(LONGEST_FAILURE_S), served.log.read_text()
    finally:
        served.process.kill()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"DAM_MODEL_SET": "nowhere"}, "There is no model set 'nowhere' (DAM_MODEL_SET)."),
        ({"DAM_IMAGE_MAX_BATCH": "many"}, "DAM_IMAGE_MAX_BATCH: "),
    ],
)
def test_wrong_setting_stops_it_before_it_listens(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    """A set that is not there, or a value that makes no sense: status 1, one sentence, no traceback."""
    status, log = fail(tmp_path, settings)
    assert status == 1
    assert sentence in log
    assert "Traceback" not in log
    assert "listening" not in log


def test_supervisor_carries_no_models() -> None:
    """Importing the service, as the supervisor does, loads neither torch nor what needs it."""
    heavy = "{'torch', 'torchvision', 'transformers', 'open_clip'}"
    code = f"import sys, bentos.service; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=serving.ROOT, capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_damaged_weights_stop_it(tmp_path: Path) -> None:
    """Weights that cannot be loaded end the whole service with status 1, after one try, with the folder."""
    damaged = tmp_path / "models" / "damaged"
    shutil.copytree(DEMO_FOLDER, damaged)
    (damaged / "clip" / "open_clip_model.safetensors").write_bytes(b"these are no weights")
    status, log = fail(tmp_path, {"DAM_MODELS_DIR": str(damaged.parent), "DAM_MODEL_SET": "damaged"})
    assert status == 1
    assert log.count("cannot be loaded from") == 1
    assert str(damaged / "clip") in log


async def test_it_says_that_it_loads_and_answers_what_is_in_flight(tmp_path: Path) -> None:
    """Until the models are warm it answers 503; after SIGTERM it finishes what it has, and ends with 0."""
    served = serving.start(tmp_path, {"DAM_CAPTION_MAX_BATCH": "1"})
    try:
        async with httpx.AsyncClient(base_url=served.url, timeout=60) as client:
            early = await first_answer(client, "/models")
            assert early.status_code == 503
            assert early.json()["code"] == "loading"
            assert int(early.headers["retry-after"]) >= 1
            assert (await client.get("/readyz")).status_code == 503
            assert (await client.get("/healthz")).status_code == 200
            await asyncio.to_thread(serving.wait_until_ready, served)
            files = [{"image": path.read_bytes()} for path in SAMPLES[:24]]
            posts = [asyncio.create_task(client.post("/caption", files=file)) for file in files]
            await wait_for_captions(served, 3)
            served.process.send_signal(signal.SIGTERM)
            answers = await asyncio.gather(*posts, return_exceptions=True)
        # Those whose connection was accepted are answered; none is cut off in the middle.
        captions = [answer for answer in answers if isinstance(answer, httpx.Response)]
        assert len(captions) >= 3
        assert {answer.status_code for answer in captions} == {200}
        assert await asyncio.to_thread(served.process.wait, 30) == 0
    finally:
        served.process.kill()


async def wait_for_captions(served: serving.Served, number: int) -> None:
    """Return once so many batches of captions have run."""
    deadline = time.monotonic() + 60
    while await asyncio.to_thread(served.metric, "dam_batch_size_count", lane="caption") < number:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def first_answer(client: httpx.AsyncClient, route: str) -> httpx.Response:
    """The first answer that comes once something listens."""
    deadline = time.monotonic() + serving.START_S
    while True:
        try:
            return await client.get(route)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
