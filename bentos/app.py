"""The HTTP side of the Bento: routes, bodies in, answers out. Mounted into the BentoML service by `service`.

Inference is the `engine`'s, which `service` puts into `app.state.loaded` once it is warm; its numbers go to
`app.state.metrics`. Nothing here imports torch: the supervisor imports this module too.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import structlog
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.staticfiles import StaticFiles

from bentos import openapi, refusals
from bentos.access import needs
from bentos.answers import CaptionAnswer, EmbeddingAnswer, ModelsAnswer
from bentos.batching import OverloadedError
from bentos.intake import read_image, read_image_or_text, read_text, says_json
from bentos.metrics import CONTENT_TYPE, CountRequests, Metrics
from bentos.sample import sample_png
from dam import routes
from dam.access.describing import describe_access
from dam.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pydantic import BaseModel

    from bentos.bodies import Bodies
    from bentos.engine import Engine
    from bentos.settings import BentoSettings

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)
_DOCS: Final = "/docs"
_SWAGGER: Final = "/swagger"
_CLIENT_CLOSED: Final = 499  # nginx's number for it; nobody reads the answer, but the metrics count it


class Loaded(NamedTuple):
    """What `service` adds to the app once the models are warm."""

    engine: Engine
    settings: BentoSettings
    bodies: Bodies


class BentoApp(FastAPI):
    """FastAPI whose description holds what the running service answers."""

    def openapi(self) -> dict[str, Any]:
        """The description. Raises RefusalError while the models are loaded."""
        if self.openapi_schema is None:
            engine, settings, _ = _loaded(self)
            schema = get_openapi(
                title=self.title, version=self.version, description=self.description, routes=self.routes
            )
            complete = openapi.complete(schema, engine.models, engine.samples, settings)
            self.openapi_schema = describe_access(complete, needs)
        return self.openapi_schema


def create_app() -> BentoApp:
    """The application; it answers 503 until `app.state.loaded` is there."""
    app = BentoApp(
        title="DAM Bento", version="1", description=openapi.DESCRIPTION, docs_url=None, redoc_url=None
    )
    app.state.loaded = None
    app.state.metrics = Metrics()
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    for kind in (refusals.RefusalError, PictureError, OverloadedError, HTTPException):
        app.add_exception_handler(kind, refusals.answer)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(Exception, _answer_unexpected)
    app.post(routes.CAPTION, response_model=CaptionAnswer, **openapi.CAPTION)(caption)
    app.post(routes.EMBED, response_model=EmbeddingAnswer, **openapi.EMBED)(embed)
    app.get(routes.MODELS, response_model=ModelsAnswer, **openapi.MODELS)(models)
    app.get(routes.SAMPLE, **openapi.SAMPLE)(sample)
    app.get(routes.METRICS, include_in_schema=False)(metrics)
    app.get("/", include_in_schema=False)(to_docs)
    app.get(_DOCS, include_in_schema=False)(docs)
    # The page must work without the internet, so its scripts are those that come with BentoML.
    app.mount(_SWAGGER, StaticFiles(packages=[("bentoml", "_internal/server/static_content")]))
    return app


async def caption(request: Request) -> Response:
    """Say in one sentence what a picture shows."""
    engine, settings, bodies = _loaded(request.app)
    with engine.admit_caption(), bodies.open() as body:
        picture = await read_image(request, settings, body)
        sentence = await _unless_gone(request, engine.caption(picture))
    return _json(CaptionAnswer.of(engine.models, sentence))


async def embed(request: Request) -> Response:
    """Turn a picture or a text into a vector of length 1; alike things have vectors close to each other."""
    engine, settings, bodies = _loaded(request.app)
    if says_json(request):
        with engine.admit_text(), bodies.open() as body:
            text = await read_text(request, settings, body)
            vector = await _unless_gone(request, engine.embed_text(text))
    else:
        with engine.admit_image(), bodies.open() as body:
            content = await read_image_or_text(request, settings, body)
            if isinstance(content, bytes):
                vector = await _unless_gone(request, engine.embed_image(content))
            else:
                with engine.admit_text():  # a text in a form is known for one only now
                    vector = await _unless_gone(request, engine.embed_text(content))
    return _json(EmbeddingAnswer.of(engine.models, vector))


async def models(request: Request) -> Response:
    """Say which models answer here."""
    engine, _, _ = _loaded(request.app)
    return _json(ModelsAnswer.of(engine.models))


async def sample() -> Response:
    """Give the picture that the examples on this page are about."""
    return Response(sample_png(), media_type="image/png")


async def metrics(request: Request) -> Response:
    """Answer a scrape."""
    return Response(request.app.state.metrics.render(), media_type=CONTENT_TYPE)


async def to_docs() -> RedirectResponse:
    """Send a browser to the page."""
    return RedirectResponse(_DOCS)


async def docs() -> HTMLResponse:
    """Answer the OpenAPI page."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="DAM Bento",
        swagger_js_url=f"{_SWAGGER}/swagger-ui-bundle.js",
        swagger_css_url=f"{_SWAGGER}/swagger-ui.css",
        swagger_favicon_url=f"{_SWAGGER}/favicon-light-32x32.png",
    )


def _loaded(app: FastAPI) -> Loaded:
    loaded: Loaded | None = app.state.loaded
    if loaded is None:
        raise refusals.loading()
    return loaded


def _json(body: BaseModel) -> Response:
    return Response(body.model_dump_json(), media_type="application/json")


async def _unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is cancelled once the client is gone; then raises ClientDisconnect."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_wait_for_leave(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _wait_for_leave(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_CLIENT_CLOSED)


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    _log.error("request.failed", path=request.url.path, exc_info=error)
    return await refusals.answer(request, error)
