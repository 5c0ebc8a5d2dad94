"""Signing in and out with a browser: a token's text in a cookie that no script can read.

The gallery keeps nothing of it, so a revoked token ends every session made with it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dam.access import refusals as admission
from dam.access.guard import COOKIE
from dam.access.origins import is_https
from dam.access.tokens import Scope, find
from dam.errors import AccessError
from gallery_api import refusals
from gallery_api.access import COOKIE_PATH
from gallery_api.answers.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from dam.access.sources import TokenSource
    from dam.access.tokens import Token

_LASTS_S: Final = 30 * 24 * 3600
_OPEN: Final = Session(access="open", scopes=sorted(Scope))


class Sessions:
    """One for the whole app."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    async def show(self, request: Request) -> Session:
        """Who is signed in. Raises `RefusalError` or `StoreUnavailableError` where nobody can know."""
        tokens = await self._tokens()
        if not tokens:
            return _OPEN
        token = find(tokens, request.cookies.get(COOKIE, ""), datetime.now(UTC))
        return _describe(token) if token else Session(access="none")

    async def open(self, text: str, request: Request, response: Response) -> Session:
        """Sign in; where all is open there is nothing to do. Raises as `show` does, and for a wrong token."""
        tokens = await self._tokens()
        if not tokens:
            return _OPEN
        token = find(tokens, text.strip(), datetime.now(UTC))
        if token is None:
            refused = admission.bad_token()
            raise refusals.RefusalError(refused.status, refused.code, str(refused))
        response.set_cookie(
            COOKIE,
            text.strip(),
            max_age=_LASTS_S,
            path=COOKIE_PATH,
            secure=is_https(request.url.scheme, request.headers),
            httponly=True,
            samesite="lax",
        )
        return _describe(token)

    @staticmethod
    def close(response: Response) -> None:
        """Sign out."""
        response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="lax")

    async def _tokens(self) -> Mapping[str, Token]:
        try:
            return await self._source.tokens()
        except AccessError as error:
            raise refusals.unavailable(str(error)) from error


def _describe(token: Token) -> Session:
    scopes = sorted(scope for scope in Scope if token.allows(scope))
    return Session(access="token", name=token.name, scopes=scopes, expires_at=token.expires_at)
