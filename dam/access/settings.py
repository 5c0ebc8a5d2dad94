"""What every service behind the guard lets one token take; extended by the services' own settings."""

from __future__ import annotations

from pydantic import Field

from dam.settings import DamSettings


class AccessSettings(DamSettings):
    """Shares of one token. They bind nobody where access is open, which is on loopback only."""

    token_requests_at_once: int = Field(default=64, ge=1, description="Requests of one token under way.")
    token_requests_per_minute: int = Field(
        default=0, ge=0, description="Requests of one token; 0: no limit. A token may have its own."
    )
