"""The orchestrator's settings: built once in the entry point and passed down; read by nothing else."""

from __future__ import annotations

from pydantic import Field, SecretStr

from dam import routes
from dam.settings import DamSettings

_MIB = 1024 * 1024


class OrchestratorSettings(DamSettings):
    """Where the Bento is, how much is worked on at once, and when to give up."""

    bento_url: str = Field(
        default=f"http://127.0.0.1:{routes.BENTO_PORT}",
        pattern=r"^https?://",
        description="The inference service.",
    )
    bento_token: SecretStr | None = Field(default=None, description="Shown to the Bento, with scope `infer`.")
    bento_timeout_s: float = Field(default=120.0, gt=0, description="Longest wait for one answer.")
    bento_patience_s: float = Field(
        default=60.0, ge=0, description="How long a job waits out 429 and 503 before it is given back."
    )
    bento_max_bytes: int = Field(
        default=4 * _MIB,
        gt=0,
        description="A larger original goes through a file, its rendition to the Bento.",
    )
    prefetch: int = Field(default=32, ge=1, description="Jobs held at once.")
    commit_linger_s: float = Field(default=0.1, ge=0, description="How long a commit waits for company.")
    max_bytes: int = Field(default=256 * _MIB, gt=0, description="Largest original that is read.")
    max_pixels: int = Field(default=100_000_000, gt=0, description="Largest picture that is decoded.")
    bytes_in_flight: int = Field(
        default=32 * _MIB, gt=0, description="Originals held in memory at once; a larger one is held alone."
    )
    pixels_in_flight: int = Field(
        default=12_000_000, gt=0, description="Pixels decoded at once; a larger picture is decoded alone."
    )
    max_attempts: int = Field(default=5, ge=1, description="Tries of a job before it is failed.")
    drain_s: float = Field(default=20.0, ge=0, description="How long a stop waits for the work in hand.")
    orchestrator_host: str = Field(default="127.0.0.1", description="Where health and metrics are served.")
    orchestrator_port: int = Field(default=routes.ORCHESTRATOR_PORT, ge=0, le=65535)
