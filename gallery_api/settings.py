"""Settings of the gallery; built once, in its entry point."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from dam.access.settings import AccessSettings
from dam.routes import BENTO_PORT, GALLERY_PORT, INGEST_PORT

_BUILT = Path(__file__).parents[1] / "frontend" / "build"


class GallerySettings(AccessSettings):
    """Where it listens, what it stands in front of, and how long it waits."""

    host: str = Field(default="127.0.0.1", validation_alias="DAM_GALLERY_HOST")
    port: int = Field(default=GALLERY_PORT, ge=0, le=65535, validation_alias="DAM_GALLERY_PORT")
    frontend_dir: Path = Field(default=_BUILT, description="The built gallery; served where it is there.")
    bento_url: str = Field(
        default=f"http://127.0.0.1:{BENTO_PORT}", description="Embeds what is searched for."
    )
    bento_token: SecretStr | None = Field(default=None, description="Shown to the Bento, with scope `infer`.")
    ingest_url: str = Field(default=f"http://127.0.0.1:{INGEST_PORT}", description="Takes uploads.")
    embed_timeout_s: float = Field(
        default=3.0, gt=0, description="A search goes on without the vector after so long."
    )
    allowed_origins: str = Field(
        default="",
        description="Origins whose pages may use this API, as https://gallery.example.com; commas between.",
    )
    follow_s: float = Field(default=0.5, gt=0, description="How often the change feed is looked at.")
    signed_url_s: int = Field(default=3600, ge=60, description="How long a signed URL works.")
    retry_after_s: int = Field(default=5, ge=1, description="What `Retry-After` says in a 503.")
    connect_timeout_s: float = Field(default=15.0, gt=0, description="How long opening a part may take.")
    max_picture_bytes: int = Field(default=20 << 20, ge=1, description="Largest picture that is searched by.")
    body_idle_s: float = Field(default=60.0, gt=0, description="A body that stops for this long is given up.")
    stop_timeout_s: int = Field(default=10, ge=1, description="How long a stop waits for requests.")

    @property
    def origins(self) -> frozenset[str]:
        """Of `allowed_origins`, as browsers write them."""
        parts = (part.strip().rstrip("/").lower() for part in self.allowed_origins.split(","))
        return frozenset(part for part in parts if part)

    @property
    def bucket_origin(self) -> str | None:
        """Where a signed URL of the bucket leads to; None where it cannot sign."""
        if not self.store_url.startswith("s3:"):
            return None
        if not self.store_endpoint_url:
            return "https://*.amazonaws.com"
        parts = urlsplit(self.store_endpoint_url)
        return f"{parts.scheme}://{parts.netloc}"
