"""A token: its text, what of it is kept, and what it allows. No I/O.

The text is `dam_{id}_{secret}`, shown once. Only the SHA-256 of the secret is kept: it has 256 random bits,
so that a slow hash would protect nothing more.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations while it runs
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "dam_"
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
MAX_NAME: Final = 100
MAX_CHARS: Final = 200
"""Longer than any token; what a client sends beyond it is not even hashed."""


class Scope(StrEnum):
    """What a token may do. `admin` includes all others."""

    UPLOAD = "upload"
    READ = "read"
    EDIT = "edit"
    INFER = "infer"
    ADMIN = "admin"


class Token(BaseModel):
    """What is kept of a token. Fields of a later version are kept when the book is written anew."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    name: str = Field(min_length=1, max_length=MAX_NAME, description="Whose it is; changes are theirs.")
    scopes: frozenset[Scope] = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False, description="Of the secret.")
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    requests_per_minute: int | None = Field(default=None, ge=1, description="None: the service's own limit.")
    max_file_bytes: int | None = Field(default=None, ge=1, description="None: the service's own limit.")

    @property
    def actor(self) -> str:
        """Who makes the changes, as the catalogue names them."""
        return f"person:{self.name}"

    def allows(self, scope: Scope) -> bool:
        """Whether it may do that."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def is_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and now >= self.expires_at


def make(  # noqa: PLR0913 - all that a token is
    name: str,
    scopes: frozenset[Scope],
    *,
    now: datetime,
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
    max_file_bytes: int | None = None,
) -> tuple[Token, str]:
    """A new token and its text, which exists nowhere else. Raises pydantic's `ValidationError`."""
    token_id = secrets.token_hex(_ID_BYTES)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    token = Token(
        id=token_id,
        name=name,
        scopes=scopes,
        sha256=_digest(secret),
        created_at=now,
        expires_at=expires_at,
        requests_per_minute=requests_per_minute,
        max_file_bytes=max_file_bytes,
    )
    return token, f"{_PREFIX}{token_id}_{secret}"


def find(tokens: Mapping[str, Token], text: str, now: datetime) -> Token | None:
    """The token with that text, by id, or None where there is none or its time is over.

    The secret is compared in constant time: an answer's delay tells nothing of it.
    """
    if len(text) > MAX_CHARS or not text.startswith(_PREFIX):
        return None
    token_id, _, secret = text.removeprefix(_PREFIX).partition("_")
    token = tokens.get(token_id)
    expected = token.sha256 if token else _NOBODY
    is_right = hmac.compare_digest(_digest(secret), expected)
    return token if token and is_right and not token.is_expired(now) else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_NOBODY: Final = _digest(secrets.token_urlsafe(_SECRET_BYTES))
"""What an unknown id is compared with, so that it costs as much time as a known one."""
