"""Problem details for HTTP APIs (RFC 9457): the one body of every error this project answers with.

Ingest, gallery and the Bento build theirs here, so that a client sees one shape. No web framework is
imported: the edges wrap the body themselves.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field

CONTENT_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """`code` is stable and for programs; `detail` is a sentence for people."""

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Unsupported media type"])
    status: int = Field(examples=[415])
    code: str = Field(examples=["not_an_image"])
    detail: str = Field(examples=["notes.txt is not an image: its first bytes are those of no known format."])
