"""Stands before an HTTP service: lets in who may, as whom they are, and no more of them than their share.

The outermost layer of ingest, gallery and the Bento. What a request needs is told by the service's own rule,
for unknown addresses too: so a new route is closed until somebody opens it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final

from dam.access import headers as security
from dam.access import origins, refusals, visitors
from dam.access.tokens import Scope, Token, find
from dam.access.visitors import ANYBODY, Visitor
from dam.errors import AccessError, StoreUnavailableError
from dam.problem import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from dam.access.refusals import NotAdmittedError
    from dam.access.shares import Shares
    from dam.access.sources import TokenSource

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

COOKIE: Final = "dam_token"
"""Holds a token's text after sign-in; no script can read it."""
_RECHECK_S: Final = 30.0
_LINGER_S: Final = 5.0
"""How long the body of who is not admitted is read on: a connection closed on it would lose our answer."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a service asks for. `needs` gives the scope of a method and a path; None: open to everybody."""

    needs: Callable[[str, str], Scope | None]
    takes_cookie: bool = False
    allowed_origins: frozenset[str] = field(default_factory=frozenset)


class _OverError(Exception):
    """An answer that is still being sent, to somebody whose token has ended meanwhile."""


class Guard:
    """An ASGI layer around `app`."""

    def __init__(self, app: App, policy: Policy, source: TokenSource, shares: Shares) -> None:
        self._app = app
        self._policy = policy
        self._source = source
        self._shares = shares

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _read(scope)
        is_https = origins.is_https(scope.get("scheme"), headers)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = security.complete(message.get("headers", ()), is_https=is_https)
            await send(message)

        try:
            visitor = await self._admit(scope, headers)
            with self._shares.take(visitor.token):
                visitors.enter(visitor)
                await self._app(scope, receive, self._while_valid(visitor, send_safely))
        except refusals.NotAdmittedError as refusal:
            await _answer(refusal, receive, send_safely)
        except _OverError:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _admit(self, scope: MutableMapping[str, Any], headers: Mapping[str, str]) -> Visitor:
        """Who this is. Raises `NotAdmittedError`."""
        method, path = scope["method"], scope["path"]
        needed = self._policy.needs(method, path)
        text, is_cookie = self._shown(headers)
        if (is_cookie or text is None) and origins.is_forged(method, headers, self._policy.allowed_origins):
            raise refusals.forged()
        if needed is None:
            return ANYBODY
        tokens = await self._tokens()
        if not tokens:
            _check_open(scope, headers)
            return ANYBODY
        if text is None:
            raise refusals.no_token()
        token = find(tokens, text, datetime.now(UTC))
        if token is None:
            raise refusals.bad_token()
        if not token.allows(needed):
            raise refusals.missing_scope(needed, token.name)
        return Visitor(token, text)

    def _shown(self, headers: Mapping[str, str]) -> tuple[str | None, bool]:
        """The token's text, and whether a browser sent it by itself."""
        kind, _, text = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return text.strip(), False
        if self._policy.takes_cookie and (cookie := _cookie(headers.get("cookie", ""))):
            return cookie, True
        return None, False

    async def _tokens(self) -> Mapping[str, Token]:
        try:
            return await self._source.tokens()
        except (AccessError, StoreUnavailableError) as error:
            raise refusals.unknowable(str(error)) from error

    def _while_valid(self, visitor: Visitor, send: Send) -> Send:
        """Sends on for as long as the token holds: a stream of events may last for days."""
        if visitor.token is None:
            return send
        looked = time.monotonic()

        async def send_if_valid(message: Message) -> None:
            nonlocal looked
            if message["type"] == "http.response.body" and time.monotonic() - looked > _RECHECK_S:
                looked = time.monotonic()
                if find(await self._tokens(), visitor.text or "", datetime.now(UTC)) is None:
                    raise _OverError
            await send(message)

        return send_if_valid


def _read(scope: MutableMapping[str, Any]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _check_open(scope: MutableMapping[str, Any], headers: Mapping[str, str]) -> None:
    """Without tokens: this machine alone, which also calls us by one of its own names."""
    server = scope.get("server")
    if server is None or not origins.is_loopback(server[0]):
        raise refusals.not_open()
    host = headers.get("host", "")
    if not origins.is_loopback(origins.host_of(host)):
        raise refusals.foreign_host(host)


async def _answer(refusal: NotAdmittedError, receive: Receive, send: Send) -> None:
    body = refusal.problem().model_dump_json().encode()
    headers = {"content-type": CONTENT_TYPE, "content-length": str(len(body)), **refusal.headers}
    encoded = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": encoded})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})
