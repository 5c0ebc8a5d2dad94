"""Makes the app: the API, probes, problems, the built gallery, and what opens at start and closes at stop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from dam import routes
from dam.access.guard import Guard
from dam.access.shares import Shares
from dam.errors import (
    CatalogueUnavailableError,
    DamError,
    IndexUnavailableError,
    InferenceUnavailableError,
    QueueUnavailableError,
    StoreUnavailableError,
)
from dam.problem import CONTENT_TYPE, Problem
from dam.queue.opening import open_queue
from dam.store.opening import open_store
from gallery_api import refusals
from gallery_api.access import make_policy
from gallery_api.answers.operations import Readiness
from gallery_api.bodies import BoundedBodies
from gallery_api.faults import explain
from gallery_api.frontend import Frontend
from gallery_api.gallery import Gallery
from gallery_api.methods import METHODS, HeadAnswers, find_methods
from gallery_api.openapi import DESCRIPTION, TITLE, VERSION, describe, make_router
from gallery_api.prefix import API
from gallery_api.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dam.queue.port import JobQueue
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore
    from gallery_api.settings import GallerySettings

log = structlog.get_logger()

PROBE_S: Final = 6.0
"""A probe that takes longer is worth nothing."""
_DOWN: Final = (
    CatalogueUnavailableError,
    IndexUnavailableError,
    InferenceUnavailableError,
    QueueUnavailableError,
    StoreUnavailableError,
)
_NEEDED: Final = ("store", "catalogue")
"""Without these nothing can be shown; without the others the gallery says what is missing."""


def create_app(
    settings: GallerySettings,
    *,
    store_opener: Callable[[DamSettings], Awaitable[ObjectStore]] = open_store,
    queue_opener: Callable[[DamSettings], Awaitable[JobQueue]] = open_queue,
) -> FastAPI:
    """The app. Nothing is opened before it starts; a test may bring openers of its own."""
    gallery = Gallery(settings, store_opener, queue_opener)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        gallery.start()
        try:
            yield
        finally:
            await gallery.close()

    app = FastAPIOffline(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        docs_url=f"{API}/docs",
        static_url=f"{API}/docs-assets",
        openapi_url=f"{API}/openapi.json",
    )
    app.state.gallery = gallery
    app.add_middleware(HeadAnswers)
    app.add_middleware(BoundedBodies, settings=settings)
    _add_access(app, gallery, settings)
    app.include_router(make_router())
    app.openapi = lambda: describe(app)  # type: ignore[method-assign] # the way FastAPI documents
    _add_probes(app, gallery)
    _add_errors(app, settings)
    _add_end_of_api(app)
    if settings.frontend_dir.is_dir():
        app.mount("/", Frontend(settings.frontend_dir, settings.bucket_origin), name="frontend")
    return app


def _add_access(app: FastAPI, gallery: Gallery, settings: GallerySettings) -> None:
    """The guard, and before it the answers to browsers that ask whether another origin's page may."""
    shares = Shares(settings.token_requests_at_once, settings.token_requests_per_minute)
    app.add_middleware(Guard, policy=make_policy(settings), source=gallery.tokens, shares=shares)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(settings.origins),
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=["Authorization", "Content-Type", "If-Match", "Last-Event-ID"],
            expose_headers=["ETag", "Retry-After"],
        )


def _add_end_of_api(app: FastAPI) -> None:
    """What is below the API's prefix and no route of it is an error, never the gallery's page."""
    known = list(app.routes)

    @app.api_route(API + "/{path:path}", methods=list(METHODS), include_in_schema=False)
    async def answer_unknown(request: Request, path: str) -> Response:
        allowed = find_methods(known, request.scope)
        if allowed:
            detail = f"/{path} does not take {request.method}, but {' and '.join(allowed)}"
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"Allow": ", ".join(allowed)})
        raise HTTPException(HTTPStatus.NOT_FOUND, f"The API has no address /{path}")


def _add_probes(app: FastAPI, gallery: Gallery) -> None:
    probes = {
        "store": gallery.store.ping,
        "catalogue": gallery.follower.ping,
        "queue": gallery.queue.ping,
        "bento": gallery.ping_bento,
    }

    @app.get(routes.LIVE, include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @app.get(routes.READY, include_in_schema=False)
    async def ready(response: Response, *, needed: bool = False) -> Readiness:
        """With `needed`, only that is asked without which nothing works: a probe wakes nothing else."""
        asked = {name: probe for name, probe in probes.items() if not needed or name in _NEEDED}
        states = await asyncio.gather(*(_state(probe) for probe in asked.values()))
        found = dict(zip(asked, states, strict=True))
        is_ready = all(found[name] == "up" for name in _NEEDED)
        response.status_code = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Readiness(status="ready" if is_ready else "not ready", dependencies=found)


async def _state(probe: Callable[[], Awaitable[None]]) -> str:
    try:
        async with asyncio.timeout(PROBE_S):
            await probe()
    except DamError as error:
        return f"down: {error}"
    except TimeoutError:
        return f"down: no answer within {PROBE_S:g} s"
    return "up"


def _add_errors(app: FastAPI, settings: GallerySettings) -> None:
    """Every error in the one shape, whoever raised it."""

    async def answer_refusal(_: Request, error: Exception) -> Response:
        assert isinstance(error, RefusalError)  # noqa: S101 - registered for it
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            error.headers.setdefault("Retry-After", str(settings.retry_after_s))
        return _respond(error.problem(), error.headers)

    async def answer_outage(_: Request, error: Exception) -> Response:
        log.warning("request.unavailable", error=str(error))
        headers = {"Retry-After": str(settings.retry_after_s)}
        return _respond(refusals.unavailable(str(error)).problem(), headers)

    app.add_exception_handler(RefusalError, answer_refusal)
    for kind in _DOWN:
        app.add_exception_handler(kind, answer_outage)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_crash)


def _respond(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    return Response(problem.model_dump_json(), problem.status, headers, CONTENT_TYPE)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    """What FastAPI found wrong, as a sentence."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    return _respond(refusals.invalid(explain(error.errors())).problem())


async def _answer_http_error(_: Request, error: Exception) -> Response:
    """404 and 405 of addresses that are none, and bodies that FastAPI cannot even parse."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == HTTPStatus.BAD_REQUEST:  # its only use: what is wrong with a body is 422 here
        return _respond(refusals.invalid(f"The body cannot be read: {error.detail.rstrip('.')}.").problem())
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    problem = Problem(title=error.detail, status=error.status_code, code=code, detail=f"{error.detail}.")
    return _respond(problem, dict(error.headers or {}))


async def _answer_crash(request: Request, error: Exception) -> Response:
    """A fault of ours; the log has the rest."""
    log.error("request.crashed", path=request.url.path, exc_info=error)
    return _respond(
        Problem(
            title="Internal Server Error",
            status=500,
            code="internal_error",
            detail="The service made a mistake; its log says which. Sending the request again is safe.",
        )
    )
