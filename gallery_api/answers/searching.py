"""What a search answers: assets with their scores, and what of them matched."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gallery_api.answers.asset import Asset

Mode = Literal["hybrid", "semantic", "text"]


class SemanticMatch(BaseModel):
    """How near the picture is to what was asked."""

    rank: int = Field(description="1 is the nearest.", examples=[1])
    similarity: float = Field(description="Cosine of the two vectors.", examples=[0.83])


class FieldMatch(BaseModel):
    """The words of one field that were asked for, as they stand there."""

    field: str = Field(examples=["caption"])
    words: list[str] = Field(examples=[["red", "boats"]])


class TextMatch(BaseModel):
    """Which words matched, and how rare they are together."""

    rank: int = Field(examples=[2])
    score: float = Field(description="BM25.", examples=[7.1])
    fields: list[FieldMatch]


class Matched(BaseModel):
    """Why a result is there; at least one is set."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    semantic: SemanticMatch | None = None
    text: TextMatch | None = None


class SearchResult(BaseModel):
    """One asset that was found."""

    asset: Asset
    score: float = Field(
        description="What the results are sorted by: the fused ranks in hybrid mode, else the mode's own.",
        examples=[0.0325],
    )
    matched: Matched


class SearchAnswer(BaseModel):
    """The best results first."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    items: list[SearchResult]
    mode: Mode = Field(description="As it was searched in the end.")
    degraded: bool = Field(description="Something of what was asked could not be done; `reason` says what.")
    reason: str | None = Field(
        default=None, examples=["The Bento does not answer: results are from words alone."]
    )
    took_ms: float = Field(examples=[12.4])
    embed_ms: float = Field(description="Of them, waiting for the query's vector.", examples=[3.1])
    total: int | None = Field(
        default=None, description="How many assets the filters leave; null without any."
    )
