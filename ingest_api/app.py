"""Puts the upload API together: routes, probes, problems, and what opens at start and closes at stop."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from dam import routes
from dam.access.guard import Guard
from dam.access.shares import Shares
from dam.access.sources import BookTokens
from dam.access.starting import MAKE_ONE, check_host
from dam.connections import Connection
from dam.errors import DamError, QueueUnavailableError, SettingsError, StoreUnavailableError
from dam.problem import CONTENT_TYPE, Problem
from dam.queue.opening import open_queue
from dam.room import Room
from dam.store.opening import open_store
from ingest_api import metrics as counting
from ingest_api.access import DOCS_ASSETS, POLICY
from ingest_api.answers import UPLOAD_BODY, UPLOAD_RESPONSES, Readiness, UploadAnswer
from ingest_api.intake import Intake
from ingest_api.upload import Uploads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dam.queue.port import JobQueue
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore
    from ingest_api.settings import IngestSettings

log = structlog.get_logger()

PROBE_S: Final = 6.0
"""A probe that takes longer is worth nothing; a ping is bound by 5 s, but opening may take longer."""


def create_app(
    settings: IngestSettings,
    *,
    store_opener: Callable[[DamSettings], Awaitable[ObjectStore]] = open_store,
    queue_opener: Callable[[DamSettings], Awaitable[JobQueue]] = open_queue,
) -> FastAPI:
    """The app. Nothing is opened before it starts; a test may bring openers of its own."""
    store: Connection[ObjectStore] = Connection(
        "store", lambda: store_opener(settings), StoreUnavailableError, settings.connect_timeout_s
    )
    queue: Connection[JobQueue] = Connection(
        "queue", lambda: queue_opener(settings), QueueUnavailableError, settings.connect_timeout_s
    )
    metrics = counting.Metrics()
    room = Room(settings.upload_memory_bytes)
    uploads = Uploads(Intake(store, queue, settings), room, metrics, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await queue.close()
            await store.close()

    app = FastAPIOffline(
        title="Upload API",
        version="1",
        description="Takes originals: stores them in the bucket and queues their enrichment.",
        lifespan=lifespan,
        redoc_url=None,
        static_url=DOCS_ASSETS,
    )
    app.state.connections = [store, queue]
    app.state.tokens = BookTokens(store.get)
    shares = Shares(settings.token_requests_at_once, settings.token_requests_per_minute)
    app.add_middleware(Guard, policy=POLICY, source=app.state.tokens, shares=shares)
    _add_upload(app, uploads)
    _add_probes(app, [store, queue], metrics)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(Exception, _answer_crash)
    return app


async def open_early(app: FastAPI, host: str) -> None:
    """Try to open store and queue once; what is only down is tried again when it is needed.

    Raises:
        SettingsError: the settings can never work, or nobody may be let in from where `host` lets them reach
            it; the process must not start.
        AccessError: the tokens are there and cannot be understood.
    """
    await asyncio.gather(*(_open(connection) for connection in app.state.connections))
    await check_host(host, app.state.tokens, MAKE_ONE)


async def _open(connection: Connection[ObjectStore] | Connection[JobQueue]) -> None:
    try:
        await connection.get()
    except SettingsError:
        raise
    except DamError as error:
        log.warning("connection.unavailable", name=connection.name, error=str(error))


def _add_upload(app: FastAPI, uploads: Uploads) -> None:
    @app.post(
        routes.UPLOAD,
        status_code=202,
        response_model=UploadAnswer,
        responses=UPLOAD_RESPONSES,
        openapi_extra=UPLOAD_BODY,
        summary="Upload one or many files",
    )
    async def upload(request: Request) -> Response:
        """Each file is streamed to the bucket, its type told from its content, and its job queued.

        The same content is stored once: sending it again names the existing asset, and queues it again
        unless it is enriched. So repeating a request is always safe.
        """
        return await uploads.answer(request)


def _add_probes(
    app: FastAPI, connections: list[Connection[ObjectStore] | Connection[JobQueue]], metrics: counting.Metrics
) -> None:
    @app.get(routes.LIVE, summary="Whether the process answers")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @app.get(
        routes.READY,
        response_model=Readiness,
        responses={503: {"model": Readiness, "description": "What is down, and why."}},
        summary="Whether uploads work now",
    )
    async def ready() -> Response:
        states = await asyncio.gather(*(_state(connection) for connection in connections))
        is_ready = set(states) == {"up"}
        answer = Readiness(
            status="ready" if is_ready else "not ready",
            dependencies={c.name: state for c, state in zip(connections, states, strict=True)},
        )
        return JSONResponse(answer.model_dump(), 200 if is_ready else 503)

    @app.get(routes.METRICS, include_in_schema=False)
    async def render_metrics() -> Response:
        return Response(metrics.render(), media_type=counting.CONTENT_TYPE)


async def _state(connection: Connection[ObjectStore] | Connection[JobQueue]) -> str:
    try:
        async with asyncio.timeout(PROBE_S):
            await connection.ping()
    except DamError as error:
        return f"down: {error}"
    except TimeoutError:
        return f"down: no answer within {PROBE_S:g} s"
    return "up"


def _problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), problem.status, headers=headers, media_type=CONTENT_TYPE)


async def _answer_http_error(_: Request, error: Exception) -> Response:
    """404 and 405, in the one shape of errors."""
    if not isinstance(error, HTTPException):
        raise error
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    problem = Problem(title=error.detail, status=error.status_code, code=code, detail=f"{error.detail}.")
    return _problem_response(problem, dict(error.headers or {}))


async def _answer_crash(request: Request, error: Exception) -> Response:
    """A fault of ours; the log has the rest."""
    log.error("request.crashed", path=request.url.path, exc_info=error)
    return _problem_response(
        Problem(
            title="Internal Server Error",
            status=500,
            code="internal_error",
            detail="The service made a mistake; its log says which. Sending the request again is safe.",
        )
    )
