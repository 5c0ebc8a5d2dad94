"""Bytes: originals, thumbnails, vectors."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path, Query, Response

from gallery_api.ranges import Requested
from gallery_api.routes.described import NO_RANGE, NOT_FOUND, UNAVAILABLE, AssetId, Here, Responses

_BYTES: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_ANSWERS: Final[Responses] = {
    304: {"description": "The object is still the one whose ETag was given."},
    307: {"description": "A signed URL of the bucket, where it can sign."},
}
_ORIGINAL: Final[Responses] = {
    200: {"description": "The bytes, streamed, as what they are.", "content": {"*/*": _BYTES}},
    206: {"description": "The range that was asked for.", "content": {"*/*": _BYTES}},
}
_THUMBNAIL: Final[Responses] = {
    200: {"description": "The picture, streamed.", "content": {"image/webp": _BYTES}}
}
_VECTOR: Final[Responses] = {
    200: {
        "description": "The embedding.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["id", "model", "dim", "embedding"],
                    "properties": {
                        "id": {"type": "string"},
                        "model": {"type": "string"},
                        "dim": {"type": "integer"},
                        "embedding": {"type": "array", "items": {"type": "number"}},
                    },
                }
            }
        },
    }
}

router = APIRouter(
    tags=["files"], responses=_ANSWERS | NOT_FOUND | UNAVAILABLE, default_response_class=Response
)

Range = Annotated[
    str | None, Header(alias="Range", description="`bytes=FIRST-LAST`", examples=["bytes=0-99"])
]
IfNoneMatch = Annotated[str | None, Header(description="An ETag: answers 304 where it is still that one.")]


@router.get("/assets/{asset_id}/original", responses=_ORIGINAL | NO_RANGE, summary="The original")
async def get_original(  # noqa: PLR0913 - what a request for a file may say
    gallery: Here,
    asset_id: AssetId,
    requested: Range = None,
    if_range: Annotated[str | None, Header(include_in_schema=False)] = None,
    if_none_match: IfNoneMatch = None,
    *,
    download: Annotated[bool, Query(description="Offer it as a file with its name.")] = False,
) -> Response:
    """As it was uploaded; with its file name where `download` is set."""
    wanted = Requested(requested, if_range)
    return await gallery.files.original(asset_id, wanted, if_none_match, download=download)


@router.get("/assets/{asset_id}/thumbnail/{size}", responses=_THUMBNAIL, summary="A derived picture")
async def get_thumbnail(
    gallery: Here,
    asset_id: AssetId,
    size: Annotated[Literal["256", "1024"], Path(description="Longest side, in pixels.")],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A WebP whose longest side is at most `size`."""
    return await gallery.files.thumbnail(asset_id, int(size), if_none_match)


@router.get("/assets/{asset_id}/vector", responses=_VECTOR, summary="The embedding")
async def get_vector(gallery: Here, asset_id: AssetId, if_none_match: IfNoneMatch = None) -> Response:
    """The primary embedding, as JSON: `id`, `model`, `dim`, `embedding`."""
    return await gallery.files.vector(asset_id, if_none_match)
