"""An asset as the API shows it, and lists of assets.

`Asset` has every column of the catalogue but `embedding`, in the catalogue's order: a test compares the two.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from dam import keys
from dam.catalogue.row import SNAPSHOT_SCHEMA, AssetType, Event, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLE_ID: Final = "019abf3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"

Status = Literal["ready", "failed", "deleted", "pending"]


class Links(BaseModel):
    """Where the bytes are, below the API's own URL."""

    original: str = Field(examples=[f"/api/assets/{EXAMPLE_ID}/original"])
    thumbnails: dict[str, str] = Field(
        description="By longest side in pixels; empty where there are none.",
        examples=[{"256": f"/api/assets/{EXAMPLE_ID}/thumbnail/256"}],
    )
    vector: str | None = Field(
        description="The embedding as JSON; null where there is none.",
        examples=[f"/api/assets/{EXAMPLE_ID}/vector"],
    )


class Asset(BaseModel):
    """One asset: its current row in the catalogue, or what is known of it while it is `pending`."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    id: str = Field(examples=[EXAMPLE_ID])
    filename: str | None = Field(default=None, examples=["boat.png"])
    r2_key: str | None = Field(default=None, examples=[f"assets/{EXAMPLE_ID}.png"])
    vector_key: str | None = Field(default=None, examples=[f"vectors/{EXAMPLE_ID}.json"])
    mime_type: str | None = Field(default=None, examples=["image/png"])
    caption: str | None = Field(default=None, examples=["a red boat on a blue background"])
    revision: int = Field(
        default=0, description="1, 2, 3 …; 0 while pending. Also the ETag of the asset.", examples=[3]
    )
    change_id: str | None = Field(default=None, examples=["019abf3c-5e00-7a00-8000-1f2e3d4c5b6a"])
    schema_version: int | None = Field(default=None, examples=[1])
    event: Event | None = Field(default=None, description="What made this revision.", examples=["edited"])
    recorded_at: datetime | None = Field(default=None, examples=["2026-05-04T03:02:01Z"])
    received_at: datetime | None = Field(default=None, examples=["2026-05-04T03:01:58Z"])
    captured_at: datetime | None = Field(default=None, description="By the camera's clock.", examples=[None])
    actor: str | None = Field(default=None, examples=["person:anonymous"])
    status: Status = Field(examples=["ready"])
    asset_type: AssetType | None = Field(default=None, examples=["image"])
    size_bytes: int | None = Field(default=None, examples=[48213])
    sha256: str | None = Field(default=None)
    width: int | None = Field(default=None, description="In pixels, as a viewer shows it.", examples=[640])
    height: int | None = Field(default=None, examples=[480])
    duration_s: float | None = Field(default=None, examples=[None])
    caption_by: str | None = Field(default=None, description="A model or a person.", examples=["blip@1"])
    embedding_by: str | None = Field(default=None, examples=["clip@1"])
    text_by: str | None = Field(default=None, examples=[None])
    title: str | None = Field(default=None, examples=["The boat"])
    description: str | None = Field(default=None, examples=[None])
    text: str | None = Field(default=None, description="Extracted or transcribed.", examples=[None])
    tags: list[str] = Field(default_factory=list, examples=[["boat", "summer"]])
    rating: int | None = Field(default=None, examples=[4])
    placeholder: str | None = Field(default=None, description="A thumbhash, in base64.")
    error_code: str | None = Field(default=None, examples=[None])
    error_message: str | None = Field(default=None, examples=[None])
    attempts: int | None = Field(default=None, examples=[1])
    links: Links


class AssetPage(BaseModel):
    """Some assets, newest first."""

    items: list[Asset]
    next_cursor: str | None = Field(
        description="Ask for what follows with it; null at the end. It stays valid while assets arrive.",
        examples=[EXAMPLE_ID],
    )


class Day(BaseModel):
    """The assets that were received on one day (UTC)."""

    day: date = Field(examples=["2026-05-04"])
    count: int = Field(examples=[12])
    ratio_sum: float = Field(
        description="Sum of width / height, 1 where the size is unknown: a justified grid can tell the day's "
        "height before its assets are loaded.",
        examples=[15.3],
    )


class Timeline(BaseModel):
    """How many assets there are on which day, newest first."""

    total: int = Field(examples=[12])
    days: list[Day]


class FieldChange(BaseModel):
    """One column that a revision changed."""

    field: str = Field(examples=["caption"])
    before: Any = Field(examples=["a red boat"])
    after: Any = Field(examples=["a red sailing boat"])


class Revision(BaseModel):
    """One revision: who made it, when, and what changed."""

    revision: int = Field(examples=[2])
    event: Event = Field(examples=["edited"])
    actor: str = Field(examples=["person:anonymous"])
    recorded_at: datetime
    changes: list[FieldChange] = Field(description="Against the revision before; all fields of the first.")
    row: Asset


class History(BaseModel):
    """Every revision of one asset, newest first."""

    items: list[Revision]


AssetId = Annotated[str, Field(description="The asset's id.", examples=[EXAMPLE_ID])]

_COLUMNS: Final = SNAPSHOT_SCHEMA.names
_BOOKKEEPING: Final = frozenset(
    {"revision", "change_id", "schema_version", "event", "recorded_at", "actor", "attempts"}
)


def show_row(row: Row) -> Asset:
    """A catalogue row as the API shows it."""
    return show_values({name: getattr(row, name) for name in _COLUMNS})


def show_values(values: dict[str, Any]) -> Asset:
    """The same from a row's values by column name."""
    return Asset.model_validate(fill_values(values))


def fill_values(values: dict[str, Any]) -> dict[str, Any]:
    """A row's values as `Asset` takes them: a list of tags at any rate, and the links."""
    return values | {"tags": list(values.get("tags") or ()), "links": _links(values)}


def show_history(rows: Sequence[Row]) -> History:
    """Revisions, given oldest first, with what each changed."""
    items = []
    for number, row in enumerate(rows):
        before = rows[number - 1] if number else None
        items.append(
            Revision(
                revision=row.revision,
                event=row.event,
                actor=row.actor,
                recorded_at=row.recorded_at,
                changes=_find_changes(before, row),
                row=show_row(row),
            )
        )
    return History(items=items[::-1])


def _find_changes(before: Row | None, after: Row) -> list[FieldChange]:
    """Columns whose value differs; no tags and an empty list are the same."""
    changes = []
    for name in _COLUMNS:
        if name in _BOOKKEEPING or name == "id":
            continue
        old, new = (getattr(row, name) if row else None for row in (before, after))
        if name == "tags":
            old, new = old or [], new or []
        if old != new:
            changes.append(FieldChange(field=name, before=old, after=new))
    return changes


def _links(values: dict[str, Any]) -> dict[str, Any]:
    base = f"/api/assets/{values['id']}"
    has_thumbnails = values.get("placeholder") is not None
    sizes = keys.THUMBNAIL_SIZES if has_thumbnails else ()
    return {
        "original": f"{base}/original",
        "thumbnails": {str(size): f"{base}/thumbnail/{size}" for size in sizes},
        "vector": f"{base}/vector" if values.get("vector_key") else None,
    }
