"""The doctor's settings: those of bucket and queue, where the Bento is, and the bounds of the checks."""

from __future__ import annotations

from pydantic import Field

from dam import routes
from dam.settings import DamSettings


class DoctorSettings(DamSettings):
    """Built in the command's entry point and passed down."""

    bento_url: str = Field(
        default=f"http://127.0.0.1:{routes.BENTO_PORT}",
        pattern=r"^https?://",
        description="The inference service.",
    )
    doctor_timeout_s: float = Field(default=20.0, gt=0, description="Longest time of one check.")
    doctor_min_free_bytes: int = Field(
        default=1 << 30, ge=0, description="Less free disk is a warning; a quarter of it is broken."
    )
