"""The BentoML service: `bentoml serve bentos.service:DamBento`, or `bentoml serve` in the project's folder.

BentoML gives the supervisor, the worker process, `/healthz` and `/readyz`; the other routes are `app`'s and
the batching is `engine`'s. The supervisor imports this module too, so torch must not be imported with it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import bentoml
import structlog
from pydantic import ValidationError
from uvicorn.config import HTTP_PROTOCOLS

from bentos import supervision
from bentos.access import LOOPBACK, POLICY, find_host
from bentos.app import Loaded, create_app
from bentos.bodies import Bodies
from bentos.modelsets import locate
from bentos.settings import BentoSettings
from dam import logs
from dam.access.guard import Guard
from dam.access.shares import Shares
from dam.access.sources import FixedTokens
from dam.access.starting import check_host
from dam.access.tokens import Scope
from dam.errors import SettingsError
from dam.settings import explain

if TYPE_CHECKING:
    from bentos.engine import Engine

_log = structlog.get_logger(__name__)
_MAKE_ONE = (
    "`dam token create NAME --bento` makes one: set DAM_BENTO_TOKENS here, DAM_BENTO_TOKEN for its user."
)
_REQUEST_TIMEOUT_S = 300
"""A last resort, far above our own time-outs: BentoML's answer to it is no problem+json."""

app = create_app()
# BentoML lets nobody choose its server's protocol, and uvicorn's own keeps heads of any size.
HTTP_PROTOCOLS["auto"] = "dam.heads:BoundedHeads"


async def every_route(scope: Any, receive: Any, send: Any) -> None:
    """The app, for every path that BentoML does not serve itself; so that its 404 is ours as well."""
    await app.state.guard(scope, receive, send)


@bentoml.asgi_app(every_route)
@bentoml.service(
    name="dam-bento",
    http={"host": LOOPBACK},  # BentoML's own default is every address
    workers=1,  # a second would be a second copy of the models, with batches of its own
    traffic={"timeout": _REQUEST_TIMEOUT_S},
    # The first two cost more CPU than the rest of a request and have no reader; of the third see `metrics`.
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": [".*"]},
    metrics={"enabled": False},
)
class DamBento:
    """Captions pictures and embeds pictures and texts, in batches."""

    def __init__(self) -> None:
        self._settings = BentoSettings()
        logs.configure(self._settings.log_level, json=self._settings.log_json)
        shares = Shares(self._settings.token_requests_at_once, self._settings.token_requests_per_minute)
        app.state.guard = Guard(app, POLICY, _read_tokens(self._settings), shares)
        self._engine: Engine | None = None
        self._loading: asyncio.Task[None] | None = None

    @bentoml.on_deployment  # type: ignore[untyped-decorator]  # BentoML exports it without types
    @staticmethod
    def check() -> None:
        """In the supervisor, before anything listens: settings and model set must be there."""
        os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")
        # For the worker, whose OpenMP reads it before any of our code runs: threads that spin while they wait
        # take the cores from decoding and from the other lanes.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        supervision.accept_failure()
        try:
            settings = BentoSettings()
            locate(settings.model_set, settings.models_dir)
            asyncio.run(check_host(find_host(), _read_tokens(settings), _MAKE_ONE))
        except (SettingsError, ValidationError) as error:
            reason = explain(error) if isinstance(error, ValidationError) else error
            sys.exit(f"A setting is wrong; nothing was started. {reason}")

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # BentoML exports it without types
    async def start(self) -> None:
        """Load in the background: meanwhile the probes answer, and say that it is not ready."""
        self._loading = asyncio.create_task(self._load())

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # BentoML exports it without types
    async def stop(self) -> None:
        """Nothing is in flight any more: the server has answered it. Ends the lanes and their threads."""
        if self._loading:
            await self._loading
        if self._engine:
            await self._engine.close()

    async def __is_ready__(self) -> bool:
        """What `/readyz` asks: models loaded and warm."""
        return self._engine is not None

    async def _load(self) -> None:
        try:
            engine = await asyncio.to_thread(_build_engine, self._settings)
            await engine.start()
        except Exception as error:  # noqa: BLE001 - whatever it is, no request can ever be answered
            _log.critical("models.unusable", error=str(error), exc_info=not isinstance(error, SettingsError))
            supervision.give_up()
            return
        self._engine = engine
        app.state.loaded = Loaded(engine, self._settings, Bodies(self._settings.max_bodies_bytes))
        _log.info("service.ready", model_set=engine.models.name)


def _read_tokens(settings: BentoSettings) -> FixedTokens:
    """Who may infer. Raises `SettingsError`."""
    return FixedTokens(settings.bento_tokens.get_secret_value(), Scope.INFER)


def _build_engine(settings: BentoSettings) -> Engine:
    """The models, off the event loop. Imports torch, here and nowhere else in this module."""
    from bentos.engine import Engine  # noqa: PLC0415 - the supervisor must not carry torch

    return Engine(settings, app.state.metrics)
