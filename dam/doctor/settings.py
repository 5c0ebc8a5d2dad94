"""The doctor's settings: those of bucket and queue, where the Bento is, and the bounds of the checks."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field, SecretStr

from dam import routes
from dam.settings import DamSettings

_REQUEST_S: Final = 5.0
_TRIES: Final = 2


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

    def hasten(self) -> Self:
        """The same with a bucket that is waited for a few seconds only."""
        return self.model_copy(
            update={
                "store_timeout_s": min(self.store_timeout_s, _REQUEST_S),
                "store_max_attempts": min(self.store_max_attempts, _TRIES),
            }
        )

    def secrets(self) -> list[str]:
        """What must never be shown."""
        fields = (self.store_secret_access_key, self.bento_token, self.queue_url)
        texts = [field.get_secret_value() for field in fields if field]
        credentials = texts[-1].partition("://")[2].rpartition("@")[0]
        return [text for text in (*texts, credentials, credentials.partition(":")[2]) if text]
