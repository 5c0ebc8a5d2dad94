"""The HTTP side of the Bento: routes, bodies in, answers out. Mounted into the BentoML service by `service`.

Inference is the `engine`'s, put into `app.state` once it is loaded. Nothing here imports torch: the
supervisor imports this module too.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, cast

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from bentos import openapi, refusals
from bentos.answers import CaptionAnswer, EmbeddingAnswer, ModelsAnswer
from bentos.intake import read_image, read_image_or_text
from bentos.refusals import RefusalError
from bentos.sample import sample_png
from dam import routes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from contextlib import AbstractContextManager

    from bentos.engine import Engine
    from bentos.settings import BentoSettings

_log = structlog.get_logger(__name__)
_CLIENT_CLOSED: Final = 499
Result = TypeVar("Result")


def create_app() -> FastAPI:
    """The application; `app.state.engine` and `app.state.settings` must be set before it is asked."""
    app = FastAPI(title="DAM Bento", version="1", docs_url=None, redoc_url=None)
    app.add_exception_handler(Exception, _answer_unexpected)
    for kind in openapi.ERRORS:
        app.add_exception_handler(kind, refusals.answer)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_api_route(
        routes.CAPTION, caption, methods=["POST"], response_model=CaptionAnswer, **openapi.CAPTION
    )
    app.add_api_route(
        routes.EMBED, embed, methods=["POST"], response_model=EmbeddingAnswer, **openapi.EMBED
    )
    app.add_api_route(routes.MODELS, models, methods=["GET"], response_model=ModelsAnswer, **openapi.MODELS)
    app.add_api_route(openapi.SAMPLE_ROUTE, sample, methods=["GET"], **openapi.SAMPLE)
    return app
