"""The job message: what ingest and reconcile publish and the orchestrator consumes. JSON, schema 1.

A consumer ignores fields it does not know and dead-letters a schema it does not know.
"""

from __future__ import annotations

import json
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, FailFast, Field, ValidationError

from dam.errors import InvalidMessageError
from dam.ids import new_id

SCHEMA: Final = 1

Want = Literal["caption", "embedding", "thumbnails"]
ALL_WANTS: Final[tuple[Want, ...]] = ("caption", "embedding", "thumbnails")
_Count = Annotated[int, Field(ge=0, lt=1 << 63)]
"""As the catalogue's columns hold it."""


class EnrichJob(BaseModel):
    """Enrich one asset. `change_id` makes the resulting row idempotent; `expected_revision` is 0 at first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = Field(default=1, alias="schema")
    kind: Literal["enrich"] = "enrich"
    change_id: str = Field(default_factory=new_id)
    asset_id: str
    key: str
    filename: str
    mime_type: str
    size_bytes: _Count
    sha256: str
    received_at: AwareDatetime
    actor: str
    expected_revision: _Count = 0
    # Told of one wrong want, not of each: 100,000 of them would take 200 MB to tell.
    wants: Annotated[tuple[Want, ...], FailFast()] = ALL_WANTS

    def to_bytes(self) -> bytes:
        """The message body, UTF-8 JSON."""
        return self.model_dump_json(by_alias=True).encode()


def parse(body: bytes) -> EnrichJob:
    """Read a message body.

    Raises:
        InvalidMessageError: `malformed`, or `unknown_schema` for a schema or kind of another version.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidMessageError("malformed", f"The message is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise InvalidMessageError("malformed", "The message is JSON, but not an object.")
    if data.get("schema") != SCHEMA or data.get("kind") != "enrich":
        raise InvalidMessageError(
            "unknown_schema",
            f"The message has schema {data.get('schema')!r} and kind {data.get('kind')!r}; this version "
            f"reads schema {SCHEMA}, kind 'enrich'. Upgrade the orchestrator, then retry the job.",
        )
    try:
        # From the body once more: unlike Python's, this reader refuses half a character (a lone surrogate).
        return EnrichJob.model_validate_json(body)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) or item["msg"] for item in error.errors())
        raise InvalidMessageError(
            "malformed", f"The message has missing or wrong fields: {fields}."
        ) from error
