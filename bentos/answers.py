"""What the Bento answers, as models: the source of both the JSON and its OpenAPI description.

Built by `app` for a request and by `openapi` for its examples. Errors are not here: they are `refusals`'.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from bentos.modelsets import EmbedderInfo, ModelInfo, ModelSet

_SET: str = "The set that the model belongs to; `GET /models` says more."


class CaptionAnswer(BaseModel):
    """One sentence, and which model wrote it."""

    caption: str = Field(description="One sentence in English.")
    model: str
    revision: str
    model_set: str = Field(description=_SET)

    @classmethod
    def of(cls, models: ModelSet, caption: str) -> Self:
        """The answer of this set's captioner."""
        used = models.caption
        return cls(caption=caption, model=used.model, revision=used.revision, model_set=models.name)


class EmbeddingAnswer(BaseModel):
    """A vector of length 1, and which model made it. Pictures and texts share one space."""

    embedding: list[float] = Field(description="`dim` numbers; their squares sum to 1.")
    dim: int = Field(gt=0)
    model: str
    revision: str
    model_set: str = Field(description=_SET)

    @classmethod
    def of(cls, models: ModelSet, embedding: list[float]) -> Self:
        """The answer of this set's embedder."""
        used = models.embedding
        return cls(
            embedding=embedding,
            dim=len(embedding),
            model=used.model,
            revision=used.revision,
            model_set=models.name,
        )


class ModelsAnswer(BaseModel):
    """The model set in use."""

    model_set: str
    caption: ModelInfo
    embedding: EmbedderInfo
    notice: str = Field(description="What to expect of these models; empty where there is nothing to say.")

    @classmethod
    def of(cls, models: ModelSet) -> Self:
        """This set, described."""
        return cls(
            model_set=models.name, caption=models.caption, embedding=models.embedding, notice=models.notice
        )
