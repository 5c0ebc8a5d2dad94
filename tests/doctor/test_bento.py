"""What the doctor says of a real Bento, and of what may stand in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from dam import routes
from tests.bentos import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bentos.serving import Served
    from tests.doctor.examining import Patient


async def test_healthy_bento(patient: Patient, bento: Served) -> None:
    """Its models are named, and both have really looked at the sample picture."""
    examined = await patient.examine(bento_url=bento.url)
    examined.assert_well("bento")
    assert "dam-demo-blip@" in examined.told("bento")
    assert "kangaroo" in examined.told("bento.caption")
    assert examined.told("bento.embed").startswith("128 numbers")


async def test_bento_is_down(patient: Patient) -> None:
    """Where nothing listens."""
    examined = await patient.examine()
    assert examined.verdicts("bento") == {"bento": "broken"}
    assert "cannot be reached" in examined.told("bento")


async def test_bento_still_loading(patient: Patient, tmp_path: Path) -> None:
    """A real Bento that has no model to load never answers for one: it is told as down or as not ready."""
    served = serving.start(tmp_path, {"DAM_MODEL_SET": "none-such", "DAM_MODELS_DIR": str(tmp_path)})
    try:
        examined = await patient.examine(bento_url=served.url)
    finally:
        served.process.terminate()
        served.process.wait(60)
    assert examined.verdicts("bento") == {"bento": "broken"}


MODELS = {
    "model_set": "odd",
    "caption": {"model": "blip", "revision": "1"},
    "embedding": {"model": "clip", "revision": "1", "dim": 2},
}
CAPTION = {"caption": "a kangaroo"}
EMBEDDING = {"embedding": [0.6, 0.8]}
PROBLEM = {"status": 503, "detail": "The models are being loaded."}


@pytest.mark.parametrize(
    ("odd", "broken", "told"),
    [
        ({routes.MODELS: {"model_set": "empty"}}, "bento", "has no model"),
        ({routes.MODELS: 503}, "bento", "The models are being loaded."),
        ({routes.MODELS: 404}, "bento", "not as our Bento does"),
        ({routes.MODELS: "<html>It works!</html>"}, "bento", "correct DAM_BENTO_URL"),
        ({routes.CAPTION: {"caption": ""}}, "bento.caption", "has no caption"),
        ({routes.CAPTION: 500}, "bento.caption", "status 500"),
        ({routes.EMBED: {"embedding": [1.0]}}, "bento.embed", "no vector of 2 numbers"),
        ({routes.EMBED: {"embedding": [3.0, 4.0]}}, "bento.embed", "no vector of 2 numbers"),
    ],
)
async def test_odd_bento(patient: Patient, odd: dict[str, Any], broken: str, told: str) -> None:
    """A server that is none of ours, or whose models do not work: the part that does not is named."""
    answers = {routes.MODELS: MODELS, routes.CAPTION: CAPTION, routes.EMBED: EMBEDDING, routes.SAMPLE: "png"}

    async def answer(request: web.Request) -> web.Response:
        body = {**answers, **odd}[request.path]
        if isinstance(body, int):
            return web.json_response(PROBLEM, status=body)
        return web.Response(text=body) if isinstance(body, str) else web.json_response(body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        examined = await patient.examine(bento_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()
    wrong = [name for name, verdict in examined.verdicts("bento").items() if verdict != "well"]
    assert wrong == [broken]
    assert told in examined.told(broken)
