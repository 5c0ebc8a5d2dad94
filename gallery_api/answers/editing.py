"""What an edit may say, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dam.names import clean_line, clean_text, safe_name
from dam.problem import Problem
from gallery_api.answers.asset import EXAMPLE_ID, Asset

MOST_IDS = 1000
"""In one batch."""
_LONGEST_ID = 100


def _check_name(name: str) -> str:
    safe = safe_name(name)
    if not safe:
        raise ValueError("nothing is left of the file name without folders and control characters")
    return safe


def _check_tags(tags: list[str]) -> list[str]:
    """Each once, in the order given."""
    return list(dict.fromkeys(tag for tag in tags if tag))


def _check_id(text: str) -> str:
    """One that is none is reported by itself, with the outcomes of the others; it is only kept short."""
    if len(text) > _LONGEST_ID:
        raise ValueError(f"that is no asset id: it is longer than {_LONGEST_ID} characters")
    return text


Line = Annotated[str, StringConstraints(max_length=2000), AfterValidator(clean_line)]
Paragraphs = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(clean_text)]
Tag = Annotated[str, StringConstraints(max_length=100), AfterValidator(clean_line)]
Tags = Annotated[list[Tag], Field(max_length=100), AfterValidator(_check_tags)]
FileName = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_check_name)]
Id = Annotated[str, AfterValidator(_check_id)]


class AssetEdit(BaseModel):
    """New values of some fields; a field that is not named stays as it is, null empties it."""

    model_config = ConfigDict(extra="forbid")

    caption: Line | None = Field(default=None, examples=["a red sailing boat"])
    title: Line | None = Field(default=None, examples=["The boat"])
    description: Paragraphs | None = Field(default=None, examples=["Seen from the pier."])
    tags: Tags | None = Field(default=None, examples=[["boat", "summer"]])
    rating: Annotated[int, Field(ge=0, le=5)] | None = Field(default=None, examples=[4])
    filename: FileName = Field(default="", examples=["boat.png"])

    def values(self) -> dict[str, Any]:
        """The fields that were named, as columns; an emptied text is null."""
        named: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: None if value == "" else value for name, value in named.items()}


class RevertRequest(BaseModel):
    """Which revision to go back to."""

    revision: int = Field(ge=1, examples=[1])


class BatchEdit(BaseModel):
    """The same on many assets: set fields, add and remove tags, delete or restore."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Id] = Field(min_length=1, max_length=MOST_IDS, examples=[[EXAMPLE_ID]])
    set: AssetEdit | None = None
    add_tags: Tags = Field(default_factory=list, examples=[["summer"]])
    remove_tags: Tags = Field(default_factory=list)
    delete: bool = False
    restore: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> BatchEdit:
        edits = bool(self.set or self.add_tags or self.remove_tags)
        if self.delete + self.restore + edits != 1:
            raise ValueError("say one thing: an edit (set, add_tags, remove_tags), or delete, or restore")
        return self


class BatchOutcome(BaseModel):
    """What became of one asset."""

    id: str = Field(examples=[EXAMPLE_ID])
    status: Literal["changed", "unchanged", "conflict", "not_found", "refused"] = Field(
        description="`conflict`: others changed it again and again at the same time."
    )
    revision: int | None = Field(default=None, description="Its current one.", examples=[4])
    reason: str | None = Field(default=None, description="Of what was not done.", examples=[None])


class BatchAnswer(BaseModel):
    """One outcome for each id, in the order sent."""

    outcomes: list[BatchOutcome]


class ConflictProblem(Problem):
    """The edit lost: somebody else's revision came first."""

    current: Asset = Field(description="The asset as it is now.")
