"""Settings that several services share; each service's own class extends `DamSettings`.

A settings class is built once, in a service's entry point, and passed down. Nothing else reads the
environment. Every variable has the prefix `DAM_`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_PREFIX = "DAM_"
_REQUEST_S = 5.0
_TRIES = 2
_Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)]


class DamSettings(BaseSettings):
    """Where the bucket and the queue are, and how long to wait for them."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, extra="ignore", populate_by_name=True)

    data_dir: Path = Field(default=Path("dam-data"), description="Where the embedded store and queue live.")
    store_url: str = Field(default="", description="`file:///folder` or `s3://bucket`.")
    store_endpoint_url: str | None = Field(
        default=None, description="S3 endpoint, for example https://ACCOUNT.r2.cloudflarestorage.com."
    )
    store_region: str = Field(default="auto", description="S3 region; R2 wants `auto`.")
    store_access_key_id: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DAM_STORE_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID")
    )
    store_secret_access_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DAM_STORE_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY")
    )
    store_timeout_s: float = Field(default=30.0, gt=0, description="Read timeout of one storage request.")
    store_max_attempts: int = Field(default=5, ge=1, description="Tries of one storage request.")
    queue_url: SecretStr = Field(default=SecretStr(""), description="`sqlite:///file` or `amqp(s)://…`.")
    token: SecretStr | None = Field(
        default=None, description="API token that our own commands show to the upload API."
    )
    log_level: _Level = "INFO"
    log_json: bool = Field(default=True, description="JSON lines; false gives coloured lines for people.")

    @model_validator(mode="after")
    def _embedded_defaults(self) -> Self:
        """Without URLs, a folder and a SQLite file under `data_dir`."""
        if not self.store_url:
            self.store_url = (self.data_dir.absolute() / "bucket").as_uri()
        if not self.queue_url.get_secret_value():
            self.queue_url = SecretStr(f"sqlite:///{self.data_dir.absolute() / 'queue.sqlite'}")
        return self

    def hasten(self) -> Self:
        """The same with a bucket that is waited for a few seconds only: for commands that must not hang."""
        return self.model_copy(
            update={
                "store_timeout_s": min(self.store_timeout_s, _REQUEST_S),
                "store_max_attempts": min(self.store_max_attempts, _TRIES),
            }
        )

    def secrets(self) -> list[str]:
        """What must never be shown."""
        fields = (self.store_secret_access_key, self.token, self.queue_url)
        texts = [field.get_secret_value() for field in fields if field]
        credentials = texts[-1].partition("://")[2].rpartition("@")[0]
        return [text for text in (*texts, credentials, credentials.partition(":")[2]) if text]


def explain(error: ValidationError) -> str:
    """What is wrong with which variables, as sentences; never with a value, which may be a secret."""
    return " ".join(
        f"{_variable(item['loc'])}: {item['msg']}." if item["loc"] else f"{item['msg']}."
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    )


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0])
    return name if name.isupper() else f"{_PREFIX}{name.upper()}"
