"""Search by words, by likeness and by picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, File, Query, Response, UploadFile
from pydantic_core import to_json

from gallery_api.answers.searching import SearchAnswer
from gallery_api.filters import PictureQuery, SearchQuery
from gallery_api.routes.described import BODY, CONFLICT, INVALID, NOT_FOUND, UNAVAILABLE, Here, Responses

if TYPE_CHECKING:
    from gallery_api.searching import Answer

router = APIRouter(tags=["search"])

_NO_VECTOR: Final[Responses] = {409: CONFLICT[409]}


@router.get(
    "/search",
    response_model=SearchAnswer,
    responses=NOT_FOUND | _NO_VECTOR | INVALID | UNAVAILABLE,
    summary="Search by words or likeness",
)
async def search_assets(gallery: Here, query: Annotated[SearchQuery, Query()]) -> Response:
    """The best results for `q`, or those most like the asset `like`, among the assets that pass the filters.

    `hybrid` fuses what is near in meaning with what has the words. Where the Bento is down, the words alone
    answer, with `degraded: true`.
    """
    return _respond(await gallery.searcher.search(query))


@router.post(
    "/search",
    response_model=SearchAnswer,
    responses=BODY | INVALID | UNAVAILABLE,
    summary="Search by picture",
)
async def search_by_picture(
    gallery: Here,
    query: Annotated[PictureQuery, Query()],
    image: Annotated[UploadFile, File(description="A picture of any accepted type.")],
) -> Response:
    """The assets most like a picture, which is not stored."""
    return _respond(await gallery.searcher.search_picture(image, query))


def _respond(answer: Answer) -> Response:
    return Response(to_json(answer, inf_nan_mode="null"), media_type="application/json")
