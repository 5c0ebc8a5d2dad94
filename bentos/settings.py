"""Settings of the Bento; built once, when its service starts."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from dam.access.settings import AccessSettings
from dam.pictures.decoding import MAX_PIXELS

DEFAULT_SET = "demo"


class BentoSettings(AccessSettings):
    """Which models, how large a batch, how long a wait. Store and queue are not used here."""

    # Without its own namespaces pydantic would claim every name that begins with `model_`.
    model_config = SettingsConfigDict(env_prefix="DAM_", extra="ignore", protected_namespaces=())

    bento_tokens: SecretStr = Field(
        default=SecretStr(""), description="Who may infer: `ID:SHA256` each, from `dam token create --bento`."
    )
    model_set: str = Field(
        default=DEFAULT_SET, description="`demo`, `base`, or a folder's name in `models_dir`."
    )
    models_dir: Path | None = Field(
        default=None, description="Folder with one folder a model set; nothing is downloaded when it is set."
    )
    caption_bfloat16: bool = Field(
        default=False,
        description="Captions in half the precision: twice as fast on processors with avx512_bf16 or AMX, "
        "slower on others. Captions of our samples stay the same.",
    )
    torch_threads: int = Field(default=0, ge=0, description="Threads of one inference; 0: one a core.")

    caption_max_batch: int = Field(default=16, ge=1, description="Pictures captioned at once.")
    caption_max_wait_ms: float = Field(default=50, ge=0, description="Longest wait for company.")
    caption_max_requests: int = Field(default=96, ge=1, description="Captions under way; more get 429.")
    image_max_batch: int = Field(default=16, ge=1, description="Pictures embedded at once.")
    image_max_wait_ms: float = Field(default=50, ge=0, description="Longest wait for company.")
    image_max_requests: int = Field(
        default=128, ge=1, description="Image embeddings under way; more get 429."
    )
    text_max_batch: int = Field(default=32, ge=1, description="Texts embedded at once.")
    text_max_wait_ms: float = Field(default=5, ge=0, description="Longest wait for company.")
    text_max_requests: int = Field(default=512, ge=1, description="Text embeddings under way; more get 429.")
    queue_timeout_s: float = Field(
        default=60, gt=0, description="Longest wait for inference to begin; 503 after it."
    )

    max_body_bytes: int = Field(
        default=20 * 1024**2,
        ge=1024,
        validation_alias="DAM_BENTO_MAX_BODY_BYTES",
        description="Largest request body.",
    )
    max_bodies_bytes: int = Field(
        default=512 * 1024**2, ge=1024, description="All bodies in memory together; 503 above it."
    )
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, description="Largest width times height.")
    max_text_chars: int = Field(default=10_000, ge=1, description="Longest text; CLIP reads 77 tokens of it.")
    body_timeout_s: float = Field(default=60, gt=0, description="How long receiving a body may take.")
