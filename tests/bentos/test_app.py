"""The HTTP side on a fake engine: what no real model can be made to do at will."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bentos.app import BentoApp, Loaded, create_app
from bentos.batching import OverloadedError
from bentos.bodies import Bodies
from bentos.settings import BentoSettings
from dam.errors import PictureError
from tests.bentos.fake_engine import FakeEngine

FORM: dict[str, Any] = {"files": {"image": ("x", b"any bytes")}}


def app_with(engine: FakeEngine | None) -> BentoApp:
    """The app, loaded with that engine."""
    app = create_app()
    if engine:
        settings = BentoSettings()
        app.state.loaded = Loaded(engine.as_engine(), settings, Bodies(settings.max_bodies_bytes))
    return app


def client_of(app: BentoApp) -> httpx.AsyncClient:
    """A client that sees answers, and not the exceptions behind them."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://bento")


def counted(app: BentoApp) -> dict[tuple[str, str], float]:
    """Answers so far, by route and status."""
    text = app.state.metrics.render().decode()
    return {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "dam_bento_requests_total"
    }


@pytest.mark.parametrize("route", ["/models", "/openapi.json"])
async def test_loading_service_says_so(route: str) -> None:
    """Until the models are there, every route that needs them answers 503 with `Retry-After`."""
    async with client_of(app_with(None)) as client:
        answer = await client.get(route)
        asked = await client.post("/caption", **FORM)
    for each in (answer, asked):
        assert each.status_code == 503
        assert each.json()["code"] == "loading"
        assert int(each.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("boom"), 500, "internal_error"),
        (PictureError("broken_image", "The file is damaged."), 400, "broken_image"),
        (OverloadedError("caption", 7), 429, "overloaded"),
        (OverloadedError("caption", 7, waited=True), 503, "overloaded"),
    ],
)
async def test_errors_of_the_engine_have_their_status(error: Exception, status: int, code: str) -> None:
    """Each is problem+json and counted; the unexpected one tells nothing of its inside."""
    app = app_with(FakeEngine(error))
    async with client_of(app) as client:
        answer = await client.post("/caption", **FORM)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("retry-after") == ("7" if code == "overloaded" else None)
    assert "boom" not in answer.text
    assert counted(app) == {("/caption", str(status)): 1}


async def test_unknown_paths_share_one_series() -> None:
    """However many paths are tried, the metrics do not grow with them."""
    app = app_with(FakeEngine())
    async with client_of(app) as client:
        for number in range(5):
            assert (await client.get(f"/path/{number}")).status_code == 404
    assert counted(app) == {("other", "404"): 5}


@pytest.mark.parametrize("route", ["/caption", "/embed"])
async def test_work_for_a_client_that_left_is_cancelled(route: str) -> None:
    """When the connection closes, the engine's work ends, and the end is counted as 499."""
    engine = FakeEngine(hang=True)
    app = app_with(engine)
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\nbytes\r\n--x--\r\n'
    incoming = [{"type": "http.request", "body": body}]

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await engine.asked.wait()
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        await asyncio.sleep(0)

    scope = {
        "type": "http",
        "method": "POST",
        "path": route,
        "query_string": b"",
        "headers": [(b"content-type", b"multipart/form-data; boundary=x")],
    }
    async with asyncio.timeout(10):
        await app(scope, receive, send)
    assert engine.cancelled == 1
    assert counted(app) == {(route, "499"): 1}


async def test_bodies_together_are_bound() -> None:
    """Where all bodies in memory are too large together, one more is put off until they are gone."""
    engine = FakeEngine(hang=True)
    app = app_with(engine)
    app.state.loaded.bodies.limit = 150_000
    large: dict[str, Any] = {"files": {"image": ("x", bytes(100_000))}}
    async with client_of(app) as client:
        first = asyncio.create_task(client.post("/caption", **large))
        await engine.asked.wait()
        refused = await client.post("/caption", **large)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) > 0
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert app.state.loaded.bodies.held == 0
        app.state.loaded = Loaded(FakeEngine().as_engine(), BentoSettings(), app.state.loaded.bodies)
        assert (await client.post("/caption", **large)).status_code == 200
