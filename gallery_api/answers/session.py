"""Who is signed in, as the API answers it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from dam.access.tokens import MAX_CHARS, Scope


class SignIn(BaseModel):
    """What signing in takes."""

    token: str = Field(
        max_length=MAX_CHARS,
        description="As `dam token create` printed it.",
        examples=["dam_0123456789ab_secret"],
    )


class Session(BaseModel):
    """Who asks, and what they may do."""

    access: Literal["open", "token", "none"] = Field(
        description="`open`: there are no tokens, and this machine may do everything; `none`: sign in first.",
        examples=["token"],
    )
    name: str | None = Field(default=None, description="Whose token it is.", examples=["ann"])
    scopes: list[Scope] = Field(default_factory=list, examples=[["read", "edit"]])
    expires_at: datetime | None = None
