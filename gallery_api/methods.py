"""HTTP methods that no route names: HEAD, and those that an address does not take.

`app` calls this. FastAPI answers neither by itself where another route matches every path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Match

from gallery_api.prefix import API

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
"""All that an address may be asked for."""


class _AnsweredError(Exception):
    """The headers are sent; nobody wants the rest."""


class HeadAnswers:
    """Answers HEAD below the API's prefix as GET, up to the body, which is not even begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or not scope["path"].startswith(f"{API}/"):
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                await send({"type": "http.response.body"})
                raise _AnsweredError

        try:
            await self._app({**scope, "method": "GET"}, receive, send_head)
        except _AnsweredError:
            return


def find_methods(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    """Methods that the address of this request takes at these routes; none where it is none of theirs."""
    return [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
