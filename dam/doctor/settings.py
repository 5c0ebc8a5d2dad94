"""The doctor's settings: those of bucket and queue, where the Bento is, and the bounds of the checks."""

from __future__ import annotations

from pydantic import Field, SecretStr

from dam import routes
from dam.settings import DamSettings


class DoctorSettings(DamSettings):
    """Built in the command's entry point and passed down."""

    bento_url: str = Field(
        default=f"http://127.0.0.1:{routes.BENTO_PORT}",
        pattern=r"^https?://",
        description="The inference service.",
    )
    bento_token: SecretStr | None = Field(default=None, description="Shown to the Bento.")
    doctor_timeout_s: float = Field(default=20.0, gt=0, description="Longest time of one check.")
    doctor_min_free_bytes: int = Field(
        default=1 << 30, ge=0, description="Less free disk is a warning; a quarter of it is broken."
    )

    def secrets(self) -> list[str]:
        """See `DamSettings`; and the token."""
        return [*super().secrets(), *([self.bento_token.get_secret_value()] if self.bento_token else [])]
