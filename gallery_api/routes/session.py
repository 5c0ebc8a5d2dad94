"""Signing in and out with a browser."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gallery_api.answers.session import Session, SignIn
from gallery_api.routes.described import BAD_TOKEN, INVALID, UNAVAILABLE, Here

router = APIRouter(tags=["session"], prefix="/session", responses=UNAVAILABLE)


@router.get("", summary="Who is signed in")
async def show_session(gallery: Here, request: Request) -> Session:
    """Of the cookie alone; a program that sends its token as `Authorization: Bearer` needs no session."""
    return await gallery.sessions.show(request)


@router.post("", responses=INVALID | BAD_TOKEN, summary="Sign in")
async def sign_in(gallery: Here, body: SignIn, request: Request, response: Response) -> Session:
    """Keeps the token in a cookie that no script can read, for 30 days."""
    return await gallery.sessions.open(body.token, request, response)


@router.delete("", status_code=204, summary="Sign out")
async def sign_out(gallery: Here, response: Response) -> None:
    """Forgets the cookie. The token itself goes on working until it is revoked."""
    gallery.sessions.close(response)
