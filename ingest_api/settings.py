"""Settings of the upload API; built once, in its entry point."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from dam.access.settings import AccessSettings
from dam.routes import INGEST_PORT

GIB: Final = 1024**3
MIB: Final = 1024**2


class IngestSettings(AccessSettings):
    """Where it listens and how much it takes."""

    host: str = Field(default="127.0.0.1", validation_alias="DAM_INGEST_HOST")
    port: int = Field(default=INGEST_PORT, ge=0, le=65535, validation_alias="DAM_INGEST_PORT")
    max_file_bytes: int = Field(default=2 * GIB, ge=1, description="Largest file.")
    max_request_bytes: int = Field(
        default=8 * GIB, ge=1, description="Largest request body, all files together."
    )
    max_files: int = Field(default=1000, ge=1, description="Most files in one request.")
    upload_memory_bytes: int = Field(
        default=24 * MIB,
        ge=MIB,
        description="What the bodies being received may hold in memory together; more requests wait.",
    )
    upload_wait_s: float = Field(default=30.0, gt=0, description="How long a request waits for that memory.")
    body_idle_s: float = Field(default=60.0, gt=0, description="A body that stops for this long is given up.")
    linger_s: float = Field(
        default=10.0,
        gt=0,
        description="How long the rest of a refused body is read on.",
    )
    retry_after_s: int = Field(default=5, ge=1, description="What `Retry-After` says in a 503.")
    connect_timeout_s: float = Field(
        default=15.0, gt=0, description="How long opening store or queue may take."
    )
    stop_timeout_s: int = Field(default=30, ge=1, description="How long a stop waits for uploads in flight.")
