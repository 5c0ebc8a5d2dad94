"""Jobs, figures, events and models, as the API answers them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gallery_api.answers.asset import EXAMPLE_ID, AssetPage


class Jobs(BaseModel):
    """The queue, and the work that failed."""

    ready: int = Field(description="Waiting in the queue.", examples=[3])
    in_flight: int = Field(description="Being worked on.", examples=[2])
    delayed: int = Field(description="Waiting for another try.", examples=[0])
    dead: int = Field(description="Given up, and not yet in the catalogue as failed.", examples=[0])
    parked: int = Field(description="Dead letters that name no asset.", examples=[0])
    pending: int = Field(description="Recent originals without a row.", examples=[5])
    failed_total: int = Field(examples=[1])
    failed: AssetPage


class Retried(BaseModel):
    """How much was queued again."""

    queued: int = Field(examples=[1])
    ids: list[str] = Field(description="At most the first 1000.", examples=[[EXAMPLE_ID]])


class Month(BaseModel):
    """Assets received in one month (UTC), of one type."""

    month: str = Field(examples=["2026-05"])
    type: str | None = Field(examples=["image"])
    count: int = Field(examples=[310])


class IndexState(BaseModel):
    """The search index against the catalogue."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    state: Literal["ready", "missing"] = Field(
        description="`missing`: none yet, or it is being rebuilt after it was lost.", examples=["ready"]
    )
    version: int | None = Field(default=None, description="Catalogue version it has.", examples=[118])
    rows: int | None = Field(default=None, examples=[6021])
    model: str | None = Field(default=None, description="Whose vectors it holds.", examples=["clip@1"])
    dim: int | None = Field(default=None, examples=[512])
    approximate: bool = Field(default=False, description="Whether the table is large enough to need it.")
    behind: int = Field(default=0, description="Changes it lacks; searches add them.", examples=[0])
    behind_s: float = Field(default=0.0, description="Age of the oldest of them.", examples=[0.0])
    updated_at: datetime | None = None


class Stats(BaseModel):
    """Counts of the whole catalogue; keys are the values counted."""

    total: int = Field(description="Ready assets.", examples=[6021])
    bytes: int = Field(description="Of their originals.", examples=[183_400_220])
    by_type: dict[str, int] = Field(examples=[{"image": 6021}])
    by_mime: dict[str, int] = Field(examples=[{"image/png": 2007}])
    by_status: dict[str, int] = Field(examples=[{"ready": 6021, "failed": 2, "deleted": 5}])
    by_model: dict[str, int] = Field(
        description="By the maker of the embedding.", examples=[{"clip@1": 6021}]
    )
    by_month: list[Month]
    by_tag: dict[str, int] = Field(description="The most frequent ones.", examples=[{"summer": 12}])
    failures_by_code: dict[str, int] = Field(examples=[{"truncated": 2}])
    catalogue_version: int = Field(examples=[118])
    index: IndexState


class Event(BaseModel):
    """The data of one server-sent event; its `id` is where to resume."""

    id: str = Field(examples=[EXAMPLE_ID])
    revision: int = Field(examples=[2])
    event: str = Field(examples=["edited"])
    status: str = Field(examples=["ready"])


class Models(BaseModel):
    """What the Bento serves, as it says itself; `available` false while it does not answer."""

    model_config = ConfigDict(extra="allow")

    available: bool
    reason: str | None = Field(default=None, description="Why it is not available.")
    models: dict[str, Any] | None = Field(default=None, description="The Bento's own answer.")


class Readiness(BaseModel):
    """`dependencies` says `up`, or what is wrong."""

    status: Literal["ready", "not ready"] = Field(examples=["ready"])
    dependencies: dict[str, str] = Field(examples=[{"store": "up", "catalogue": "up"}])
