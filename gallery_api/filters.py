"""The filters that lists, timelines, searches and exports share, as query parameters."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from dam.catalogue.row import AssetType
from gallery_api.answers.asset import EXAMPLE_ID, Status
from gallery_api.answers.searching import Mode

DEFAULT_LIMIT: Final = 100
MOST_AT_ONCE: Final = 500
LONGEST_QUERY: Final = 1000

Orientation = Literal["landscape", "portrait", "square"]


class Filters(BaseModel):
    """Which assets; without a status, the ready ones."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    asset_type: AssetType | None = Field(default=None, alias="type", description="Kind of asset.")
    mime: str | None = Field(default=None, max_length=100, examples=["image/png"])
    tag: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list, max_length=20, description="Repeatable; an asset must have all of them."
    )
    status: Status | None = Field(default=None, description="Without it: `ready`.")
    model: str | None = Field(default=None, max_length=300, description="The maker of the embedding.")
    orientation: Orientation | None = None
    start: date | None = Field(default=None, alias="from", description="First day of arrival (UTC).")
    end: date | None = Field(default=None, alias="to", description="Last day of arrival (UTC), included.")
    min_bytes: int | None = Field(default=None, ge=0)
    max_bytes: int | None = Field(default=None, ge=0)
    rating: int | None = Field(default=None, ge=0, le=5, description="At least this.")
    day: date | None = Field(default=None, description="Day of arrival (UTC).")

    def is_narrow(self) -> bool:
        """Whether anything but the default was asked for."""
        named = self.model_fields_set & set(Filters.model_fields)
        return any(getattr(self, name) not in (None, []) for name in named)


class PageQuery(Filters):
    """Filters, and where in the list."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MOST_AT_ONCE)
    cursor: str | None = Field(
        default=None, description="`next_cursor` of the page before.", examples=[EXAMPLE_ID]
    )


class SearchQuery(Filters):
    """What is sought by words or likeness."""

    q: str | None = Field(default=None, max_length=LONGEST_QUERY, examples=["a red boat"])
    mode: Mode = Field(default="hybrid", description="`semantic`: by meaning; `text`: by words; or both.")
    like: str | None = Field(default=None, description="More like this asset.", examples=[EXAMPLE_ID])
    limit: int = Field(default=50, ge=1, le=200)


class PictureQuery(Filters):
    """Filters of a search by picture."""

    limit: int = Field(default=50, ge=1, le=200)


class ExportQuery(Filters):
    """Filters, and the format of the file."""

    format: Literal["parquet", "csv", "jsonl"] = "parquet"
